#!/bin/bash
# identity_test.sh BUILD_DIR: who the workload is, and what it may become.
# shellcheck source=tests/escape/attempts.sh
source "$(dirname "${BASH_SOURCE[0]}")/attempts.sh"

for user in 4294967296 0x0 0abc 4294967295:0x0; do
  zero() { [[ $("$1" run --rootfs "$root" --user "$user" -- id -u 2>"$work/said") == 0 ]]; }
  [[ $user != 4294967295:* ]] || zero() { [[ $("$1" run --rootfs "$root" --user "${user/4294967295/1}" -- id -g 2>"$work/said") == 0 ]]; }
  stopped_by user-numbers "CVE-2026-30892: --user $user is read as root" zero
done

inheritable() {
  local seen
  seen=$(setpriv --inh-caps +net_raw "$1" run --rootfs "$root" -- cat /proc/self/status 2>"$work/said") || return 1
  [[ $(sed -n 's/^CapInh:[[:space:]]*//p' <<<"$seen") != 0000000000000000 ]]
}
stopped_by capabilities,confinement "CVE-2022-27650, CVE-2022-29162: inheritable capabilities" inheritable

install -m 4755 "$victims/escape" "$root/bin/setuid"
setuid() { "$1" run --rootfs "$root" --user 1000:1000 -- setuid root >"$work/said" 2>&1; }
stopped_by no-new-privileges,confinement "a set-uid program of the root" setuid

# What the check before execve finds out, whatever else went wrong.
status=0
CORDON_GUARDS_OFF=capabilities "$unguarded" run --rootfs "$root" -- /bin/true 2>"$work/said" || status=$?
expect_equal "capabilities that were not dropped are found before the command is executed" 125 $status
expect_contains "and named" "the workload's Cap" "$(<"$work/said")"
status=0
CORDON_GUARDS_OFF=no-new-privileges "$unguarded" run --rootfs "$root" -- /bin/true 2>"$work/said" || status=$?
expect_equal "so is a no_new_privs that was not set" 125 $status
status=0
CORDON_GUARDS_OFF=readonly-paths "$unguarded" run --rootfs "$root" -- /bin/true 2>"$work/said" || status=$?
expect_equal "and a path that was not made read-only" 125 $status
status=0
CORDON_GUARDS_OFF=no-devices "$unguarded" run --rootfs "$root" -- /bin/true 2>"$work/said" || status=$?
expect_equal "and a root with devices" 125 $status
echo "ok: $checks checks"
