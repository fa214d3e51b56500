#!/bin/bash
# progress_test.sh BUILD_DIR: the line that cordon profile shows on a terminal, seen through a pseudo-terminal of script(1).
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
cd "$work"
need_programs script
export TERM=xterm

# on_terminal COMMAND: what came to the terminal, in $seen
on_terminal() { seen=$(timeout 60 script -qec "$1" /dev/null </dev/null); }
erase=$'\r\e[K'

on_terminal "${cordon:?} profile -o a.json -- sh -c 'echo begun; sleep 2; echo ended'"
expect_contains "a line is shown" " s, 2 processes, " "$seen"
expect_contains "it says what there is" " calls/s, new " "$seen"
expect_contains "it is taken away before the workload writes" "${erase}ended" "$seen"
expect_contains "what the workload wrote before stays alone on its line" $'begun\r\n'"${erase}cordon: " "$seen"
last=${seen##*ended}
expect_missing "nothing is drawn over the end" " calls/s" "${last##*"$erase"}"
expect_contains "and the summary follows" "a.json: " "$last"

on_terminal "$cordon profile -o a.json -- sh -c 'printf prompt:; sleep 1.2; echo'"
expect_missing "no line in the middle of a line" "calls/s" "${seen#*prompt:}"
# between SEEN FROM TO: what came between two words
between() {
  local rest=${1#*"$2"}
  echo "${rest%%"$3"*}"
}
on_terminal "$cordon profile -o a.json -- sh -c 'stty raw; echo begun; sleep 1.5; echo over; stty sane'"
expect_missing "no line while the terminal is in raw mode" "calls/s" "$(between "$seen" begun over)"
on_terminal "$cordon profile -o a.json -- sh -c 'stty sane; echo begun; sleep 1.5; echo over; stty sane'"
expect_contains "the control: there is one in the usual mode" "calls/s" "$(between "$seen" begun over)"
on_terminal "$cordon profile --quiet -o a.json -- sleep 1.2"
expect_equal "nothing with --quiet" "" "$seen"
TERM=dumb on_terminal "TERM=dumb $cordon profile -o a.json -- sleep 1.2"
expect_missing "nothing on a dumb terminal" "$erase" "$seen"
sleep 100 &
target=$!
at_end stop_pid "$target" KILL
on_terminal "$cordon profile -o a.json --timeout 1500ms --pid $target"
expect_contains "it is there for an attached process too" " s, 1 process, " "$seen"
"$cordon" profile -o a.json -- sleep 1.2 2>err
expect_missing "and never in a file" "calls/s" "$(cat err)"
