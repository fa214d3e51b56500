#!/bin/bash
# deb_test.sh BUILD_DIR: the package that cpack makes has no error that lintian knows, and what it installs learns, generates and checks by
# itself, on a machine that has the C library and nothing else of what it was built with.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
need_programs cpack dpkg-deb
(cd "$build" && cpack -G DEB -B "$work/made" >"$work/cpack" 2>&1) || die "cpack: $(tail -3 "$work/cpack")"
deb=$(echo "$work"/made/*.deb)
[[ -s $deb ]] || die "cpack made no package"
ok "$(basename "$deb"), $(stat -c %s "$deb") bytes"

if command -v lintian >/dev/null; then
  # The address of a package that nobody publishes answers no mail.
  lintian --allow-root --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog "$deb" >"$work/lintian" 2>&1 || true
  expect_missing "lintian finds no error" "E: " "$(<"$work/lintian")"
else
  echo "lintian is not installed: the package is not looked at with it"
fi

dpkg-deb -x "$deb" "$work/root"
for file in bin/cordon bin/cordon-runtime bin/cordon-learn share/man/man1/cordon.1.gz share/man/man1/cordon-runtime.1.gz share/man/man5/cordon-recording.5.gz \
  share/bash-completion/completions/cordon share/zsh/vendor-completions/_cordon share/fish/vendor_completions.d/cordon.fish \
  share/cordon/examples/nginx/nginx.policy/seccomp.json share/cordon/examples/learn.sh share/doc/cordon/copyright share/doc/cordon/changelog.Debian.gz; do
  [[ -s $work/root/usr/$file ]] || die "the package lacks $file"
done
ok "it has programs, manual, completion, ready policies and documents"
# Everything else is linked as an archive.
expect_equal "it needs the C library and nothing else" "libc6" "$(dpkg-deb -f "$deb" Depends | sed 's/ *([^)]*)//g')"

installed=$work/root/usr/bin/cordon
cd "$work"
"$installed" profile --quiet -o cat.recording.json -- /bin/cat /etc/hostname >/dev/null
"$installed" generate -o cat.policy cat.recording.json >"$work/said" 2>&1 || die "generate: $(<"$work/said")"
"$installed" check cat.policy cat.recording.json >/dev/null
ok "the installed program learns, generates and checks"
"$installed" profile --quiet -o ls.recording.json -- /bin/ls / >/dev/null
if "$installed" check cat.policy ls.recording.json >/dev/null 2>&1; then
  die "check takes ls for cat"
fi
ok "and refuses another program's recording"
