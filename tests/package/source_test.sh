#!/bin/bash
# source_test.sh BUILD_DIR: the tarball of a release has what the repository has, and builds: what was built of it learns, generates and checks.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
need_programs cpack cmake ninja
cpack --config "$build/CPackSourceConfig.cmake" -B "$work/made" >"$work/said" 2>&1 || die "cpack: $(tail -n 5 "$work/said")"
expect_missing "cpack warns of nothing" "Warning" "$(<"$work/said")"
tarball=$(echo "$work"/made/cordon-*.tar.gz)
[[ $tarball =~ /cordon-([0-9.]+)\.tar\.gz$ ]] || die "cpack made $tarball"
version=${BASH_REMATCH[1]}
tar -C "$work" -xf "$tarball"
tree=$work/cordon-$version
ok "$(basename "$tarball"), $(stat -c %s "$tarball") bytes"
for file in README.md LICENSE dev CMakePresets.json .ci/run docs/README.md policies/examples/nginx/nginx.policy/seccomp.json; do
  [[ -e $tree/$file ]] || die "the tarball lacks $file"
done
[[ ! -e $tree/.git && ! -e $tree/build ]] || die "the tarball has what is not a source"
ok "it has the sources, and nothing else"

export CCACHE_BASEDIR=$tree CCACHE_NOHASHDIR=1
(cd "$tree" && cmake --preset release -DCORDON_BUILD_TESTS=OFF -DCORDON_BUILD_BENCHMARKS=OFF && cmake --build build/release --target cordon) >"$work/said" 2>&1 ||
  die "it does not build: $(tail -n 20 "$work/said")"
built=$tree/build/release/bin/cordon
expect_equal "it builds, and is the version of its name" "cordon $version" "$("$built" --version)"
cd "$work"
"$built" profile --quiet -o cat.recording.json -- /bin/cat /etc/hostname >/dev/null
"$built" generate -o cat.policy cat.recording.json >"$work/said" 2>&1 || die "generate: $(<"$work/said")"
"$built" check cat.policy cat.recording.json >/dev/null || die "check refuses what was recorded"
ok "what was built learns, generates and checks"
echo "ok: $checks checks"
