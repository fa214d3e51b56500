#!/bin/bash
# program_test.sh BUILD_DIR: cordon's own file, which root inside must not overwrite (CVE-2019-5736).
# shellcheck source=tests/escape/attempts.sh
source "$(dirname "${BASH_SOURCE[0]}")/attempts.sh"

first_process() { "$1" run --rootfs "$root" -- escape program 1 >"$work/said" 2>&1; }
stopped_by holder-is-closed "CVE-2019-5736: reading the program of the first process" first_process

# An image whose command is a link to /proc/self/exe makes the workload a copy of cordon, with that one's file behind /proc/PID/exe. As long as
# anything executes it the kernel refuses to open it for writing (ETXTBSY): that alone must not be what protects it.
ln -s /proc/self/exe "$host/command"
cp "$victims/escape" "$host/escape"
begun() { [[ $("$cordon" inspect "$name" --field pid 2>/dev/null) -gt 0 ]]; }
is_cordon() { [[ $("$cordon" exec "$name" -- stat -L -c %s /proc/2/exe) == "$(stat -c %s "$1")" ]]; }
own_program() {
  local status=0
  name=program-$RANDOM$RANDOM
  start_server "$work/said" "$1" run --name "$name" --volume "$host:/mnt" -- /mnt/command profile -o /tmp/recording -- sleep 1000
  wait_for "the sandbox: $(<"$work/said")" 20 begun
  wait_for "cordon in the place of the command: $(<"$work/said")" 20 is_cordon "$1"
  "$cordon" exec "$name" -- /mnt/escape writable 2 >"$work/said" 2>&1 || status=$?
  "$cordon" kill -s KILL "$name"
  stop_pid "$server" KILL
  return $status
}
stopped_by program-is-readonly "CVE-2019-5736: opening cordon's file for writing" own_program
expect_contains "control: the product's is on a read-only mount" "Read-only file system" "$(own_program "$cordon" || cat "$work/said")"

# An ordinary user's own copy, which that user may write: it is executed from a sealed one.
install -d -o 65534 -g 65534 -m 700 "$work/runtime"
ordinary() {
  install -o 65534 -m 755 "$1" "$work/mine"
  setpriv --reuid 65534 --regid 65534 --clear-groups env "XDG_RUNTIME_DIR=$work/runtime" "$work/mine" run --volume "$host:/mnt" -- \
    /mnt/escape writable 1 >"$work/said" 2>&1
}
stopped_by holder-is-closed,program-is-readonly "CVE-2019-5736: the own program of an ordinary user" ordinary
CORDON_GUARDS_OFF=holder-is-closed ordinary "$unguarded" && die "the sealed copy can be written"
ok "the sealed copy is what stops it where the first process can be looked into"
echo "ok: $checks checks"
