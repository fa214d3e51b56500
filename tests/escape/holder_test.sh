#!/bin/bash
# holder_test.sh BUILD_DIR: the sandbox's first process, its supervisor, and namespaces within.
# shellcheck source=tests/escape/attempts.sh
source "$(dirname "${BASH_SOURCE[0]}")/attempts.sh"

trace() { "$1" run --rootfs "$root" -- escape trace 1 >"$work/said" 2>&1; }
stopped_by holder-is-closed "tracing the first process" trace
trace_mapped() { "$1" run --userns --rootfs "$root" -- escape trace 1 >"$work/said" 2>&1; }
stopped_by holder-is-closed "tracing it in a user namespace" trace_mapped
install -d -o 65534 -g 65534 -m 700 "$work/runtime"
trace_ordinary() {
  setpriv --reuid 65534 --regid 65534 --clear-groups env "XDG_RUNTIME_DIR=$work/runtime" "$1" run --rootfs "$root" -- escape trace 1 >"$work/said" 2>&1
}
chmod 755 "$build" 2>/dev/null || true
stopped_by holder-is-closed "tracing it as an ordinary user's" trace_ordinary

# What holds the workload has no privilege of its own, and can get none.
name=holder-$$
start_server "$work/log" "$cordon" run --name "$name" --rootfs "$root" --volume /run/cordon:/data -- sleep 1000
begun() { [[ $("$cordon" inspect "$name" --field pid 2>/dev/null) -gt 0 ]]; }
wait_for "the sandbox: $(<"$work/log")" 20 begun
first=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$("$cordon" inspect "$name" --field pid)/status")
for field in CapInh CapPrm CapEff CapBnd CapAmb; do
  expect_equal "the first process has no $field" 0000000000000000 "$(sed -n "s/^$field:[[:space:]]*//p" "/proc/$first/status")"
done
expect_equal "and can get none" 1 "$(sed -n 's/^NoNewPrivs:[[:space:]]*//p' "/proc/$first/status")"
stop_pid "$server" KILL

userns() { "$1" run --rootfs "$root" -- escape userns >"$work/said" 2>&1; }
stopped_by user-namespaces "a user namespace, and all capabilities in it" userns
ask() {
  "$1" run --name "asked-$$" --rootfs "$root" --volume /run/cordon:/data -- escape ask "/data/asked-$$/control" >"$work/said" 2>&1
}
stopped_by control-peer "orders for the supervisor from inside" ask
echo "ok: $checks checks"
