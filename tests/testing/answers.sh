# shellcheck shell=bash
# What a command answers. Sourced after harness.sh, in $work.

# answers WANTED COMMAND…: it exits WANTED; its output is in $said, its messages in $told.
answers() {
  local wanted=$1 status=0
  shift
  "${cordon:?}" "$@" >said 2>told || status=$?
  said=$(cat said) told=$(cat told)
  [[ $status == "$wanted" ]] || die "cordon $*: wanted exit $wanted, got $status: $said $told"
  ok "cordon $* exits $wanted"
}
# refused PART ARGUMENT…: exit 2, one line that holds PART, and no output.
refused() {
  local part=$1
  shift
  answers 2 "$@"
  expect_contains "and says why" "$part" "$told"
  expect_equal "in one line" 1 "$(wc -l <told)"
  expect_equal "and nothing else" "" "$said"
}
