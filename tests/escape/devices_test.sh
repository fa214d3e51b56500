#!/bin/bash
# devices_test.sh BUILD_DIR: devices, masks and read-only parts of the tree.
# shellcheck source=tests/escape/attempts.sh
source "$(dirname "${BASH_SOURCE[0]}")/attempts.sh"

mknod "$root/data/device" c 1 5
in_root() { "$1" run --rootfs "$root" -- escape read /data/device >"$work/said" 2>&1; }
stopped_by no-devices,confinement "a device node of the root" in_root
mknod "$host/device" c 1 5
in_volume() { "$1" run --rootfs "$root" --volume "$host:/data" -- escape read /data/device >"$work/said" 2>&1; }
stopped_by no-devices,confinement "a device node of a volume" in_volume
"$cordon" run --rootfs "$root" --volume "$host:/data:dev" -- escape read /data/device >/dev/null 2>&1 || die "control: dev lets it be used"
ok "control: with the option dev it is one"

# Files are masked by the host's null device, whatever the image has under that name.
mkdir "$host/dev"
ln -s /proc/version "$host/dev/null"
null() { [[ -n $("$1" run --rootfs "$root" --volume "$host/dev:/dev" -- cat /proc/timer_list 2>"$work/said") ]]; }
stopped_by host-null-device,confinement "CVE-2025-31133: /dev/null is a link" null

# What is at /dev/console is the terminal that was made, not what is at its name by then: a setting of the kernel, before that is read-only.
need_programs /usr/bin/python3
at_terminal() { /usr/bin/python3 -I "$here/../testing/at_terminal.py" -- "$@"; }
mkdir -p "$host/console/pts"
ln -s /proc/sys/kernel/domainname "$host/console/pts/0"
: >"$host/console/console"
console() {
  at_terminal "$1" run -t --rootfs "$root" --volume "$host/console:/dev" -- \
    sh -c 'escape write /dev/console changed; busybox cat /proc/sys/kernel/domainname' >"$work/said"
  grep -qx "changed" "$work/said"
}
stopped_by own-terminal "CVE-2025-52565: the terminal is a link to a setting of the kernel" console
rm "$host/console/console"
ln -s /proc/self/attr/exec "$host/console/console"
linked() { at_terminal "$1" run -t --rootfs "$root" --volume "$host/console:/dev" -- echo begun >"$work/said" && grep -qx begun "$work/said"; }
if linked "$cordon"; then
  die "CVE-2025-52565: a terminal is put on what /dev/console leads to"
fi
expect_contains "CVE-2025-52565: no terminal is put on what /dev/console leads to" "behind a symbolic link" "$(<"$work/said")"
rm "$host/console/console"
linked "$cordon" || die "control: a launch without the link fails: $(<"$work/said")"
ok "control: without the link it is launched"
# Without a terminal nothing is put there.
make_root "$work/console"
echo mine >"$host/mine"
ln -s "$host/mine" "$work/console/dev/console"
expect_equal "without --tty there is neither console nor terminal" "" \
  "$("$cordon" run --rootfs "$work/console" -- sh -c 'ls /dev/console; ls /dev/pts/[0-9]*' 2>/dev/null)"
expect_equal "and what the image's leads to is as it was" mine "$(<"$host/mine")"

sysctl() { "$1" run --rootfs "$root" -- escape write /proc/sys/kernel/domainname changed >"$work/said" 2>&1; }
stopped_by readonly-paths,confinement "writing a setting of the kernel" sysctl
settings() { [[ $("$1" run --rootfs "$root" -- cat /proc/self/mountinfo 2>"$work/said") != *" /proc/fs ro,"* ]]; }
stopped_by readonly-paths,confinement "CVE-2025-52881: other settings of the kernel" settings

remount() { "$1" run --rootfs "$root" -- escape remount / >"$work/said" 2>&1; }
stopped_by capabilities,confinement "making the root writable" remount
unmask() { "$1" run --rootfs "$root" -- sh -c 'busybox umount /proc/timer_list && escape read /proc/timer_list' >"$work/said" 2>&1; }
stopped_by capabilities,confinement "taking a mask away" unmask
echo "ok: $checks checks"
