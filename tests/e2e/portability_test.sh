#!/bin/bash
# portability_test.sh BUILD_DIR: a policy learned with glibc, dynamically linked, holds for the same source linked with musl, and statically
# with either: nothing that they do is refused, what no scenario did is.
# shellcheck source=tests/testing/harness.sh
source "$(dirname "${BASH_SOURCE[0]}")/../testing/harness.sh"
cordon=${cordon:?}
need_programs musl-gcc
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../victims" && pwd)/portable.c
cd "$work"
musl-gcc -D_GNU_SOURCE -O0 -pthread -o musl_dynamic "$source"
musl-gcc -D_GNU_SOURCE -O0 -pthread -static -o musl_static "$source"
cp "${victims:?}/portable" glibc_dynamic
cp "$victims/portable_static" glibc_static
expect_missing "these have no glibc" GLIBC "$(strings -a musl_static musl_dynamic 2>/dev/null | grep -m1 'GLIBC_2' || true)"
scenarios="files directories status threads forks execs pipes epolls times signals memory identity sockets"

# learn LIBRARY SCENARIO FILE: the program is always called ./portable, as a policy of files is for a path.
learn() {
  cp "$1" portable
  timeout 60 "$cordon" profile --quiet -o "$3" -- ./portable "$2" >learned 2>&1 || die "$2 with $1 failed while it was recorded: $(cat learned)"
}
# held POLICY LIBRARY SCENARIO
held() {
  cp "$2" portable
  timeout 60 "$cordon" run --policy "$1" -- ./portable "$3" >said 2>told
}

for scenario in $scenarios; do
  learn glibc_dynamic "$scenario" glibc.json
  "$cordon" generate glibc.json --runtime cordon --name portable -o portable.policy 2>/dev/null
  for library in glibc_static musl_dynamic musl_static; do
    learn "$library" "$scenario" "$library.json"
    "$cordon" check portable.policy/seccomp.json "$library.json" >answer || die "$scenario with $library: $(cat answer)"
    ok "$scenario: all that $library does holds"
  done
  # The dynamic loader of musl is a file that was not seen: a policy of files refuses that.
  for library in glibc_dynamic musl_static; do
    held portable.policy "$library" "$scenario" || die "$scenario with $library, held to the policy: $(cat said told)"
    expect_equal "$scenario: $library runs" "$scenario: ok" "$(cat said)"
    expect_missing "and is refused nothing" "cordon: refused" "$(cat told)"
  done
  cp musl_static portable
  ./portable beyond >/dev/null || die "control: what no scenario does, does not work at all"
  if held portable.policy musl_static beyond; then
    die "$scenario: chroot, which nobody saw, is let through"
  fi
  expect_contains "$scenario: what was not seen is refused and reported" "cordon: refused chroot" "$(cat told)"
done

# The control of the check: without what portability brings, another library's calls do not hold.
learn glibc_dynamic files glibc.json
learn musl_static files musl.json
"$cordon" generate glibc.json --runtime cordon --exact --name portable -o exact.policy 2>/dev/null
if "$cordon" check exact.policy/seccomp.json musl.json >answer; then
  die "--exact lets the calls of another library through"
fi
expect_contains "control: --exact is for the library that was recorded" "writev" "$(cat answer)"
echo "ok: $checks checks"
