#!/bin/bash
# learning_test.sh BUILD_DIR: what cordon profile can be told about phases, further commands and io_uring, and what it says of what it
# could not see.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
cd "$work"

run_line() { grep -F '"command"' "$1"; }

# --- the boundary ---
# shellcheck disable=SC2016  # for the inner shell
"${cordon:?}" profile --quiet -o ready.json --serving-when ready-fd -- bash -c 'cat /etc/hostname; echo >&"$NOTIFY_FD"; cat /etc/debian_version' >/dev/null
expect_contains "what marks the boundary is in the run" '"serving_when":"ready-fd","serving_ms":' "$(run_line ready.json)"
expect_contains "what was read before is of the start" '"phases":["start"]' "$(grep -F '"/etc/hostname"' ready.json)"
expect_contains "what was read after is of serving" '"phases":["serve"]' "$(grep -F '"/etc/debian_version"' ready.json)"
# shellcheck disable=SC2016  # for the inner shell
expect_equal "without the option nothing is handed over" "none" "$("$cordon" profile --quiet -o x.json -- bash -c 'echo "${NOTIFY_FD-none}"')"

if command -v systemd-notify >/dev/null; then
  "$cordon" profile --quiet -o notify.json --serving-when ready-fd -- bash -c 'systemd-notify --ready; cat /etc/hostname' >/dev/null
  expect_contains "sd_notify marks the boundary" '"serving_ms":' "$(run_line notify.json)"
  expect_missing "its socket is not in the recording" 'cordon-notify' "$(cat notify.json)"
fi

set -m # so that what runs in the background does not ignore signals
"$cordon" profile --quiet -o signal.json --serving-when signal:USR1 -- bash -c 'echo $$ >pid; until [[ -e go ]]; do sleep 0.05; done; cat /etc/hostname' >/dev/null &
tracer=$!
wait_for "the workload" 10 test -s pid
kill -USR1 "$tracer"
sleep 0.3
touch go
wait "$tracer"
expect_contains "SIGUSR1 marks the boundary" '"phases":["serve"]' "$(grep -F '"/etc/hostname"' signal.json)"

rm pid
"$cordon" profile --quiet -o x.json -- bash -c 'trap "exit 21" USR1; echo $$ >pid; while :; do sleep 0.05; done' &
tracer=$!
wait_for "the workload" 10 test -s pid
kill -USR1 "$tracer"
status=0
wait "$tracer" || status=$?
expect_equal "SIGUSR1 is the workload's otherwise" 21 "$status"

# --- a further command ---
"$cordon" profile --quiet --append ready.json --exec check -- bash -c 'cat /etc/hostname' >/dev/null
expect_contains "its run is marked" '"further":"check"' "$(cat ready.json)"
expect_contains "and belongs to serving" '"phases":["start","serve"]' "$(grep -F '"/etc/hostname"' ready.json)"
expect_equal "both runs are there" 2 "$(run_line ready.json | wc -l)"
"$cordon" profile --quiet -o plain.json -- true
"$cordon" profile --quiet --append plain.json --exec check -- cat /etc/hostname >/dev/null
expect_contains "without a boundary there is but one phase" '"phases":["start"]' "$(grep -F '"/etc/hostname"' plain.json)"
status=0
"$cordon" profile --append missing.json --exec check -- touch ran 2>err || status=$?
expect_equal "there must be something to add to" 2 "$status"
expect_contains "and the message says what to do" "record the workload itself first" "$(cat err)"
status=0
"$cordon" profile --exec check -- touch ran 2>err || status=$?
expect_equal "--exec needs --append" 2 "$status"
status=0
"$cordon" profile --serving-when dawn -- touch ran 2>err || status=$?
expect_equal "an unknown boundary" 2 "$status"
expect_contains "is named" "write listen, ready-fd or signal:USR1" "$(cat err)"
[[ ! -e ran ]] || die "a command ran although it was asked for wrongly"

# --- io_uring ---
status=0
"$cordon" profile --quiet -o ring.json --no-io-uring -- "${victims:?}/blind" ring || status=$?
expect_equal "io_uring_setup fails with ENOSYS" 38 "$status"
expect_contains "the run says so" '"withheld":["io_uring_setup"]' "$(run_line ring.json)"

# --- blind spots ---
for tier in exact filtered fast; do
  status=0
  "$victims/blind" under_filter "$cordon" profile --tier $tier -o outer.json -- "$victims/blind" call 2>err || status=$?
  expect_equal "under a filter of the outside, $tier tier" 0 "$status"
  expect_contains "a limitation says so" '"outer-seccomp-filter"' "$(run_line outer.json)"
  expect_contains "what that filter refuses is seen" '"EACCES":1' "$(grep -F '"getpgrp"' outer.json)"
done
"$cordon" profile --quiet -o x.json -- "$victims/blind" call || true
expect_missing "without one there is no such limitation" 'outer-seccomp-filter' "$(cat x.json)"

"$cordon" profile --quiet -o inherited.json -- cat <&0 5</etc/hostname >/dev/null </dev/null
expect_contains "descriptors of cordon's caller are told" 5 "$(run_line inherited.json | grep -oE 'workload began \([0-9, ]*\)' | grep -oE '\b5\b')"
shown=$("$cordon" show inherited.json)
expect_contains "show gives the verdict" "Complete, except for this" "$shown"
expect_contains "and when the last new thing was seen" "the last new one at" "$shown"
expect_contains "and how likely another is" "the only one of its kind: the next is new with a chance" "$shown"
shown=$("$cordon" show ready.json)
expect_contains "show tells further commands" "further command 'check'" "$shown"
expect_contains "and the boundary" "(ready-fd)" "$shown"
