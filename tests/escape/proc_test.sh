#!/bin/bash
# proc_test.sh BUILD_DIR: a /proc that the image made: what cordon writes and masks there must reach the kernel's.
# shellcheck source=tests/escape/attempts.sh
source "$(dirname "${BASH_SOURCE[0]}")/attempts.sh"

make_root "$work/linked"
rmdir "$work/linked/proc"
mkdir "$work/linked/data/fake"
ln -s data/fake "$work/linked/proc"
link() { "$1" run --rootfs "$work/linked" -- readlink /proc >"$work/said" 2>&1; }
stopped_by plain-folders "CVE-2019-19921: /proc is a link" link
"$cordon" run --rootfs "$work/linked" -- /bin/true 2>"$work/said" || true
expect_contains "and it is said" "'/proc', which is behind a symbolic link in the root file system" "$(<"$work/said")"

# A volume over /proc that has files of the same names.
mkdir -p "$host/proc/thread-self/attr"
echo mine >"$host/proc/timer_list"
: >"$host/proc/thread-self/attr/exec"
volume() { [[ -z $("$1" run --rootfs "$root" --volume "$host/proc:/proc" -- cat /proc/timer_list 2>"$work/said") ]] && [[ ! -s $work/said || $(<"$work/said") != *"could not"* ]]; }
stopped_by own-proc "CVE-2025-31133: masks go to a /proc of the image's" volume

# The label of the workload, as this kernel would take it if it ran SELinux.
label() { [[ $("$build/tests/escape/label_attempt" "$root" "$host/proc" 2>"$work/said") == out ]]; }
if label; then
  die "CVE-2019-16884: the SELinux label went to a file of the image's"
fi
ok "CVE-2019-16884, CVE-2025-52881: the SELinux label does not go to a file of the image's"
CORDON_GUARDS_OFF=own-proc label || die "control: it does not without own-proc either: $(<"$work/said")"
ok "control: without own-proc it does"
echo "ok: $checks checks"
