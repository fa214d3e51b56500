#!/bin/bash
# lifetime_test.sh BUILD_DIR: what a sandbox leaves when it ends, or is ended; signals, the terminal, published ports.
if ((EUID == 0)) && [[ -z ${CORDON_OWN_MOUNTS:-} ]]; then
  # What other tests mount meanwhile is not to be taken for ours.
  CORDON_OWN_MOUNTS=yes exec unshare --mount --propagation private bash "$0" "$@"
fi
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
cordon=${cordon:?} victims=${victims:?}
# Whoever runs the tests may have them ignored (nohup, a service), and a workload inherits that.
defaults=(env "--default-signal=HUP,INT,QUIT,TERM,USR1")
as_ordinary=()
((EUID == 0)) && as_ordinary=(setpriv --reuid 65534 --regid 65534 --clear-groups)
# For the ordinary user, who may not walk to the build folder everywhere.
cp "$victims/http_page" "$work/"

cgroups_of() { find /sys/fs/cgroup -maxdepth 6 -type d -name "cordon-$1-*" 2>/dev/null || true; }
# processes_called MARKER: whose command line ends in it
processes_called() { grep -lzx -- "$1" /proc/[0-9]*/cmdline 2>/dev/null || true; }
# The workload, past its execve: before that, it has the name of cordon.
runs() {
  local file
  for file in $(processes_called "$1"); do
    if [[ $(cat "${file%cmdline}comm" 2>/dev/null) == sleep ]]; then
      return 0
    fi
  done
  return 1
}
is_over() { [[ -z $(processes_called "$1") ]]; }
no_cgroups() { [[ -z $(cgroups_of "$1") ]]; }

mounts_before=$(</proc/self/mountinfo)

output=$("$cordon" run -- printf '%s|' '[a,b]' '' -- --network x 2>/dev/null)
expect_equal "the workload's arguments are left alone" '[a,b]||--|--network|x|' "$output"

# 1. Killed, cordon takes everything with it.
marker=4$RANDOM$RANDOM
if ((EUID == 0)); then
  start_server "$work/log" "$cordon" run --memory 64M --pids 20 -- sleep "$marker"
  wait_for "the workload" 20 runs "$marker"
  [[ -n $(cgroups_of "$server") ]] || die "the sandbox has no cgroup"
  kill -KILL "$server"
  wait_for "the end of the workload after SIGKILL of cordon" 20 is_over "$marker"
  wait_for "the removal of its cgroups" 20 no_cgroups "$server"
  ok "after SIGKILL of cordon neither process nor cgroup is left"
fi
marker=4$RANDOM$RANDOM
start_server "$work/log" "${as_ordinary[@]}" "$cordon" run -- sleep "$marker"
wait_for "the workload" 20 runs "$marker"
kill -KILL "$server"
wait_for "the end of an ordinary user's workload" 20 is_over "$marker"
ok "nor of an ordinary user's sandbox"
if ((EUID == 0)); then
  expect_equal "no mount is left" "$mounts_before" "$(</proc/self/mountinfo)"
fi

# 2. Signals are passed on, and the status comes back.
for signal in TERM HUP USR1; do
  marker=4$RANDOM$RANDOM
  start_server "$work/log" "${defaults[@]}" "$cordon" run -- sleep "$marker"
  wait_for "the workload" 20 runs "$marker"
  kill -"$signal" "$server"
  status=0
  wait "$server" || status=$?
  expect_equal "SIG$signal reaches the workload and its status comes back" $((128 + $(kill -l "$signal"))) $status
done
rm "$work/log"  # of the last one
# shellcheck disable=SC2016  # for the inner shell
start_server "$work/log" "${defaults[@]}" "$cordon" run -- sh -c 'trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done'
wait_for "the trap" 20 grep -q ready "$work/log"
kill -TERM "$server"
status=0
wait "$server" || status=$?
expect_equal "a workload that handles SIGTERM ends as it wants" 9 $status

rm "$work/log"
start_server "$work/log" "${defaults[@]}" "$cordon" run -- sh -c 'trap "exit 9" INT; echo ready; while :; do sleep 0.1; done'
wait_for "the trap" 20 grep -q ready "$work/log"
while kill -INT "$server" 2>/dev/null; do
  :
done
status=0
wait "$server" || status=$?
expect_equal "a signal that comes when the workload is gone changes no status" 9 $status

# 3. The terminal stays the workload's.
if command -v script >/dev/null; then
  mkfifo "$work/keys"
  # shellcheck disable=SC2016
  # exec: a shell that waits for cordon would die of the Ctrl-C itself. A shell starts what it puts into the background with SIGINT ignored.
  "${defaults[@]}" script -qec "exec $cordon run -- sh -c 'test -t 0 && echo on a tty; trap \"echo interrupted; exit 9\" INT; echo ready; while :; do sleep 0.1; done'" \
    /dev/null <"$work/keys" >"$work/tty" 2>&1 &
  typist=$!
  at_end stop_pid "$typist"
  exec 9>"$work/keys"
  wait_for "the trap" 20 grep -q ready "$work/tty"
  printf '\003' >&9
  status=0
  wait "$typist" || status=$?
  exec 9>&-
  expect_contains "the workload has the terminal" "on a tty" "$(cat "$work/tty")"
  expect_contains "Ctrl-C reaches it" interrupted "$(cat "$work/tty")"
  expect_equal "once, and it ends as it wants" 9 $status
fi

# 4. Published ports.
# publishes WHO…: one page of a megabyte
publishes() {
  local port body
  port=$(free_port)
  start_server "$work/log.$port" "$@" "$cordon" run --publish "$port:8000" --volume "$work:/mnt:ro" -- /mnt/http_page 8000
  wait_for "the server" 20 grep -q listening "$work/log.$port"
  body=$(fetch "$port" / | tail -n 1 | wc -c)
  expect_equal "a page of one megabyte comes through the published port" 1048576 "$body"
  status=0
  wait "$server" || status=$?
  expect_equal "the server saw the end of the connection" 0 $status
}
publishes
[[ ${#as_ordinary[@]} == 0 ]] || publishes "${as_ordinary[@]}"
port=$(free_port)
start_server "$work/log.$port" "$cordon" run --volume "$work:/mnt:ro" -- /mnt/http_page "$port"
wait_for "the server" 20 grep -q listening "$work/log.$port"
if answers "$port"; then
  die "a port that is not published can be reached"
fi
ok "a port that is not published cannot be reached"
stop_pid "$server"
echo "ok: $checks checks"
