#!/bin/bash
# attach_test.sh BUILD_DIR: cordon profile --pid. What runs, sleeps, is stopped or makes threads without pause goes on afterwards as if
# nothing had been.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
cd "$work"

# field NAME PID: a line of /proc/PID/status
field() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$2/status" 2>/dev/null; }
traced() { [[ $(field TracerPid "$1") != 0 ]]; }
# in_state GLOB PID
# shellcheck disable=SC2053  # a glob on purpose
in_state() { [[ $(field State "$2") == $1* ]]; }
# all_traced PID TRACER: every thread of it, in three looks in a row
all_traced() {
  local status
  for _ in 1 2 3; do
    for status in "/proc/$1"/task/*/status; do
      local tracer state
      { tracer=$(sed -n 's/^TracerPid:[[:space:]]*//p' "$status") state=$(sed -n 's/^State:[[:space:]]*//p' "$status"); } 2>/dev/null
      [[ -z $tracer || $state == [ZX]* || $tracer == "$2" ]] || return 1
    done
  done
}
untraced() { [[ $(field TracerPid "$1") == 0 ]]; }

# start COMMAND…: in the background; its pid in $target
start() {
  "$@" </dev/null >/dev/null 2>&1 &
  target=$!
  at_end stop_pid "$target" KILL
}

# --- a shell that goes on working ---
echo looked-at >looked
start bash -c 'exec 3<looked; while :; do read -r line <looked; sleep 0.1; cat looked; done'
"${cordon:?}" profile --pid "$target" --timeout 1500ms -o shell.json 2>err || die "attach: $(cat err)"
expect_contains "the summary says what becomes of it" "process $target goes on" "$(cat err)"
expect_contains "a limitation says that the start was not seen" "attached: the workload ran before" "$(cat err)"
expect_contains "what it does is recorded" '"read"' "$(grep -F "$work/looked\"" shell.json)"
expect_contains "a child's program too" '"/usr/bin/cat"' "$(cat shell.json)"
expect_contains "and the library that was mapped before" 'map_exec' "$(grep -F 'libc.so.6' shell.json)"
expect_contains "the run has no end" '"state":"running"' "$(cat shell.json)"
expect_contains "the command is told" 'while :; do' "$(grep -F '"command"' shell.json)"
alive "$target" || die "the process ended"
wait_for "the end of tracing" 5 untraced "$target"
in_state '[SR]' "$target" || die "a stop was left behind: $(field State "$target")"
ok "the process goes on, untraced"
stop_pid "$target" KILL

# --- a stopped process stays stopped ---
start bash -c 'trap "exit 9" TERM; echo >ready; while :; do sleep 0.1; done'
wait_for "the shell" 5 test -e ready
kill -STOP "$target"
wait_for "the stop" 5 in_state T "$target"
"$cordon" profile --pid "$target" --timeout 700ms --quiet -o stopped.json 2>err || die "attach to a stopped process: $(cat err)"
in_state T "$target" || die "a stopped process is $(field State "$target") after a detach"
ok "a stopped process stays stopped"
kill -TERM "$target"
kill -CONT "$target"
status=0
wait "$target" || status=$?
expect_equal "and continues when it is told to" 9 "$status"

# --- interrupts let go; a sleep is not cut short, and its end is its own ---
set -m # so that what runs in the background does not ignore SIGINT
start bash -c 'sleep 2; exit 12'
"$cordon" profile --pid "$target" -o sleep.json 2>err &
tracer=$!
wait_for "the tracer" 5 traced "$target"
kill -INT "$tracer"
status=0
wait "$tracer" || status=$?
expect_equal "an interrupt ends the recording well" 0 "$status"
[[ -s sleep.json ]] || die "no recording after an interrupt"
status=0
wait "$target" || status=$?
expect_equal "and not the process" 12 "$status"

start bash -c 'sleep 1; exit 13'
"$cordon" profile --pid "$target" -o ended.json 2>err
expect_contains "a process that ends is recorded to its end" '"state":"exited","code":13' "$(cat ended.json)"
status=0
wait "$target" || status=$?
expect_equal "and its parent gets its status" 13 "$status"

start bash -c 'sleep 30 & echo $! >left; exec sleep 1'
wait_for "the child" 5 test -s left
at_end stop_pid "$(cat left)" KILL
timeout 20 "$cordon" profile --pid "$target" --until-exit --quiet -o first.json
expect_contains "with --until-exit the end of the first process ends the recording" '"state":"exited","code":0' "$(cat first.json)"
alive "$(cat left)" || die "--until-exit ended what was attached to"
wait_for "the end of tracing of what is left" 5 untraced "$(cat left)"
ok "and leaves the others as they are"

# --- a tracer that is killed takes nothing with it ---
rm ready
start bash -c 'trap "exit 14" TERM; echo >ready; while :; do sleep 0.1; done'
wait_for "the shell" 5 test -e ready
"$cordon" profile --pid "$target" --quiet -o killed.json &
tracer=$!
wait_for "the tracer" 5 traced "$target"
kill -KILL "$tracer"
wait "$tracer" 2>/dev/null || true
wait_for "the end of tracing" 5 untraced "$target"
kill -TERM "$target"
status=0
wait "$target" || status=$?
expect_equal "a process outlives a killed tracer" 14 "$status"

# --- threads and children that are made meanwhile ---
start "${victims:?}/churn" churn.pid
wait_for "the victim" 5 test -s churn.pid
for round in 1 2 3 4 5; do
  "$cordon" profile --pid "$target" --quiet -o churn.json 2>err &
  tracer=$!
  wait_for "the tracer" 5 traced "$target"
  wait_for "the tracer at every thread" 10 all_traced "$target" "$tracer"
  sleep 0.3
  kill -INT "$tracer"
  wait "$tracer" || die "round $round: $(cat err)"
  for seen in churn-thread churn-child; do
    grep -qF $seen churn.json || die "round $round missed $seen"
  done
  alive "$target" || die "round $round ended the process"
  wait_for "the end of tracing" 5 untraced "$target"
done
ok "threads and children that come and go are followed, five times"
kill -TERM "$target"
status=0
wait "$target" || status=$?
expect_equal "and none was lost or spoilt" 7 "$status"

# --- a task that cannot stop: it waits for its vfork(2) child ---
rm ready
(cd "$work" && exec "$victims/tasks" vfork_gate ready go) &
target=$!
at_end stop_pid "$target" KILL
wait_for "the child" 5 test -e ready
in_state D "$target" || die "a parent in vfork(2) is $(field State "$target")"
timeout 30 "$cordon" profile --pid "$target" --timeout 300ms --quiet -o vfork.json || die "a task that cannot stop: status $?"
[[ -s vfork.json ]] || die "no recording"
wait_for "the end of tracing" 5 untraced "$target"
touch go
status=0
wait "$target" || status=$?
expect_equal "a task that could not stop in time goes on untraced" 7 "$status"

# --- sockets that were bound before ---
if [[ -x /usr/bin/python3 ]]; then
  start /usr/bin/python3 -c '
import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); open("port", "w").write(str(s.getsockname()[1])); time.sleep(60)'
  wait_for "the server" 10 test -s port
  "$cordon" profile --pid "$target" --timeout 500ms --quiet -o server.json
  expect_contains "a socket that listened before is in the recording" '"operation":"bind"' "$(grep "\"port\":$(cat port)[,}]" server.json)"
fi

# --- refusals: one sentence that says what to do ---
# refused WHAT STATUS PART COMMAND…
refused() {
  local what=$1 wanted=$2 part=$3 status=0
  shift 3
  "$@" >out 2>err || status=$?
  expect_equal "$what: exit status" "$wanted" "$status"
  expect_equal "$what: one line" 1 "$(wc -l <err)"
  expect_contains "$what" "$part" "$(cat err)"
}
start sleep 60
"$cordon" profile --pid "$target" --quiet -o first.json &
tracer=$!
wait_for "the tracer" 5 traced "$target"
refused "a process that is traced already" 125 "process $tracer traces it already" "$cordon" profile --pid "$target" -o second.json
kill -INT "$tracer"
wait "$tracer"
refused "no such process" 2 "there is no process 4194303" "$cordon" profile --pid 4194303 -o x.json
status=0
"$cordon" profile --pid "$target" -o x.json -- true 2>err || status=$?
expect_equal "a command besides: exit status" 2 "$status"
expect_contains "a command besides" "exclude each other" "$(cat err)"
[[ ! -e x.json && ! -e second.json ]] || die "a refusal left a recording"
if ((EUID == 0)) && command -v setpriv >/dev/null; then
  mkdir user && chown 65534:65534 user
  refused "another user's process" 125 "it belongs to uid 0; run cordon as root" \
    setpriv --reuid=65534 --regid=65534 --clear-groups "$cordon" profile --pid "$target" -o user/x.json
  # In a pid namespace of its own, number 2 is somebody else.
  [[ $(cat /proc/2/comm 2>/dev/null) != kthreadd ]] ||
    refused "a thread of the kernel" 125 "a thread of the kernel" "$cordon" profile --pid 2 -o x.json
  # the control: one's own process may be traced
  cp "$cordon" cordon && chmod 755 . cordon  # the build folder may lie below one that only root may enter
  cat >own.sh <<EOS
sleep 60 & ./cordon profile --pid \$! --timeout 300ms --quiet -o user/own.json; status=\$?; kill \$!; exit \$status
EOS
  setpriv --reuid=65534 --regid=65534 --clear-groups bash own.sh || die "an ordinary user cannot attach to a process of its own"
  [[ -s user/own.json ]] || die "an ordinary user's attachment gave no recording"
  ok "an ordinary user attaches to a process of its own"
fi

# In a user namespace of its own cordon is root over what is in there, and over nothing else.
if ((EUID == 0)) && unshare --user --map-root-user true 2>/dev/null; then
  refused "a process of the outer user namespace" 125 "CAP_SYS_PTRACE in the process's user namespace" \
    unshare --user --map-root-user "$cordon" profile --pid "$target" -o inner.json
  # shellcheck disable=SC2016  # the inner shell expands it
  unshare --user --map-root-user bash -c 'sleep 60 & "$0" profile --pid $! --timeout 300ms --quiet -o inner.json; status=$?; kill $!; exit $status' \
    "$cordon" || die "root of a user namespace cannot attach to a process in it"
  [[ -s inner.json ]] || die "no recording from within a user namespace"
  ok "root of a user namespace attaches to what is in it"
fi
