#!/bin/bash
# on_violation_test.sh BUILD_DIR: what a call that was not seen gets under each --on-violation, on Docker with runc, Podman with crun, runc,
# crun and cordon: errno: EPERM; log: it is made; kill: SIGSYS ends the program; notify: runc does not start
# a container without a listener, under crun nobody answers (ENOSYS), cordon is the listener.
# The control of each runtime makes the same call without a policy. RUNTIMES='runc crun' limits it.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
# shellcheck source=tests/docker/engine.sh
source "$here/engine.sh"
# shellcheck source=tests/docker/runtimes.sh
source "$here/runtimes.sh"
need_root
need_programs unshare /usr/bin/python3
export LC_ALL=C
cp "$victims/syscall_probe" "$work/"
folder=$work/folder
mkdir "$folder"
cd "$folder"
"$cordon" profile --quiet -o "$work/probe.json" -- "$work/syscall_probe" raw_socket >/dev/null
for mode in errno log kill notify; do
  "$cordon" generate "$work/probe.json" --name probe --on-violation "$mode" -o "$work/$mode.policy" 2>/dev/null
done
any_policy=$work/errno.policy
expect_contains "the modes differ" SCMP_ACT_NOTIFY "$(cat "$work/notify.policy/seccomp.json")"
make_tree
containers=0

# attempt POLICY: unshare(CLONE_NEWUSER) in a sandbox of $runtime. Sets $status, $said and $told.
attempt() {
  local how=${runtime}_sandbox
  if declare -F "${runtime}_probe" >/dev/null; then how=${runtime}_probe; fi
  container=$(basename "$work")-$((++containers))
  status=0
  ("$how" "$1" on "$work/syscall_probe" raw_socket unshare) >"$work/said" 2>"$work/told" || status=$?
  said=$(tr -d '\r' <"$work/said") told=$(cat "$work/told")
}

# expect WHAT STATUS SAID
expect() {
  [[ $status == "$2" && $said == "$3" ]] || die "$runtime, $1: wanted exit $2 and '$3', got exit $status, '$said', $told"
  ok "$runtime, $1: exit $2, '${3//$'\n'/, }'"
}

# The kernel's record of the call (272 is unshare), where the records may be read.
start_server "$work/records" /usr/bin/python3 "$here/seccomp_records.py"
recorder=$server
for _ in {1..100}; do
  ! grep -q listening "$work/records" || break
  kill -0 "$recorder" 2>/dev/null || break
  sleep 0.1
done
logged_calls() { grep -c " exe=\"$work/syscall_probe\" .* syscall=272 " "$work/records" || true; }
attempt_logged() {
  local before
  before=$(logged_calls)
  attempt "$work/log.policy"
  expect "log" 0 $'raw_socket ok\nunshare ok'
  if ! kill -0 "$recorder" 2>/dev/null; then
    echo "the kernel's records cannot be read here, not looked for that of $runtime: $(tail -n 1 "$work/records")"
    return 0
  fi
  for _ in {1..50}; do
    if (($(logged_calls) > before)); then
      ok "$runtime, log: the kernel has a record of it"
      return 0
    fi
    sleep 0.1
  done
  grep -qw log /proc/sys/kernel/seccomp/actions_logged || die "this kernel is set not to log: kernel.seccomp.actions_logged"
  die "$runtime, log: the kernel has no record of the call"
}

tried=0
for runtime in ${RUNTIMES:-docker podman runc crun cordon}; do
  "${runtime}_ready" || { echo "SKIPPED: $runtime is not installed" && continue; }
  tried=$((tried + 1))
  attempt none
  expect "no policy" 0 $'raw_socket ok\nunshare ok'
  attempt "$work/errno.policy"
  expect errno 0 $'raw_socket ok\nunshare EPERM'
  attempt_logged
  attempt "$work/kill.policy"
  expect kill 159 "raw_socket ok"
  attempt "$work/notify.policy"
  case $runtime in
    docker | runc)
      ((status != 0)) || die "$runtime, notify: it starts without a listener: $said"
      expect_equal "$runtime, notify: nothing was run" "" "$said"
      expect_contains "$runtime, notify: the runtime says why" "listenerPath is not set" "$told"
      ;;
    podman | crun) expect "notify, which no listener answers" 0 $'raw_socket ok\nunshare ENOSYS' ;;
    cordon)
      expect "notify, which its own listener answers" 0 $'raw_socket ok\nunshare EPERM'
      expect_contains "and reports" "cordon: refused unshare" "$told"
      ;;
  esac
done
((tried > 0)) || skip "no container runtime is installed"
echo "ok: $checks checks"
