#!/bin/bash
# static_test.sh BUILD_DIR: the static build learns in a root that holds nothing but busybox, without a C library, and in Debian's; as root
# and as an ordinary user; in every tier. Without /proc it says what is missing.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../../testing/harness.sh"
need_root
need_programs busybox unshare setpriv chroot
cordon=$(dirname "$build")/static/bin/cordon
[[ -x $cordon ]] || skip "there is no static build"

[[ $(ldd "$cordon" 2>&1) == *"statically linked"* || $(ldd "$cordon" 2>&1) == *"not a dynamic executable"* ]] ||
  die "the static build needs shared libraries: $(ldd "$cordon")"
ok "needs no shared library"

root=$work/root
mkdir -p "$root"/{bin,proc,out,etc}
chmod 777 "$root/out"
# The one that is static, whatever is first in PATH.
cp /bin/busybox "$root/bin/busybox"
[[ $(ldd "$root/bin/busybox" 2>&1) != *"=>"* ]] || skip "busybox-static is not installed"
for applet in sh cat; do ln -s busybox "$root/bin/$applet"; done
cp "$cordon" "$root/cordon"
echo small >"$root/etc/motd"

# inside USER COMMAND…: in that root, with /proc, in a mount namespace of its own.
inside() {
  local user=$1
  shift
  # shellcheck disable=SC2016  # for the inner shell
  unshare -m sh -c 'mount -t proc proc "$1/proc" && shift && exec "$@"' sh "$root" \
    chroot --userspec="$user" "$root" "$@" 2>"$work/err"
}

for user in 0:0 65534:65534; do
  for tier in exact filtered fast; do
    status=0
    said=$(inside "$user" /cordon profile --stats --tier "$tier" -o "/out/$user-$tier.json" -- /bin/sh -c 'cat /etc/motd; exit 7') || status=$?
    expect_equal "uid ${user%:*}, $tier: exit status and output in a busybox root" "7 small" "$status $said"
    grep -q "$tier tier" "$work/err" || die "not the $tier tier: $(cat "$work/err")"
    grep -q '"/etc/motd"' "$root/out/$user-$tier.json" || die "the file that was read is not in the recording"
    grep -q '"/bin/busybox"' "$root/out/$user-$tier.json" || die "the program is not in the recording"
    said=$("$cordon" show "$root/out/$user-$tier.json") || die "the recording cannot be read"
    expect_contains "uid ${user%:*}, $tier: it can be shown" "/bin/busybox" "$said"
  done
done

mkdir "$work/out"
chmod 777 "$work/out"
cp "$cordon" "$work/cordon"
for user in 0 65534; do
  status=0
  (cd "$work/out" && setpriv --reuid="$user" --regid="$user" --clear-groups "$work/cordon" profile --quiet -o "$user.json" -- \
    sh -c 'cat /etc/hostname >/dev/null; exit 9') || status=$?
  expect_equal "uid $user: exit status in Debian's root" 9 "$status"
  expect_contains "uid $user: what was read in Debian's root" '"/etc/hostname"' "$(cat "$work/out/$user.json")"
done

status=0
chroot "$root" /cordon profile -o /out/no-proc.json -- /bin/sh -c 'exit 0' 2>"$work/err" || status=$?
expect_equal "without /proc cordon cannot do it" 125 "$status"
expect_contains "and says what is missing" "mount -t proc proc /proc" "$(cat "$work/err")"
[[ ! -e $root/out/no-proc.json ]] || die "a recording was written without /proc"
