#!/bin/bash
# exit_codes_test.sh BUILD_DIR: under `cordon profile` a program ends as it would without, and nothing of it is left.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
cd "$work"

# expect_exit WANTED COMMAND…
expect_exit() {
  local wanted=$1 status=0
  shift
  "${cordon:?}" profile -o out.json -- "$@" >output 2>&1 || status=$?
  [[ $status == "$wanted" ]] || die "cordon profile -- $*: wanted exit $wanted, got $status: $(cat output)"
  ok "cordon profile -- $* exits $wanted"
}

expect_exit 0 true
expect_exit 1 false
expect_exit 42 sh -c 'exit 42'
# shellcheck disable=SC2016  # for the inner shell
expect_exit 137 sh -c 'kill -9 $$'
# shellcheck disable=SC2016
expect_exit 143 sh -c 'kill -TERM $$'
# shellcheck disable=SC2016
expect_exit 139 sh -c 'kill -SEGV $$'
expect_exit 127 /nonexistent
expect_exit 127 no-such-program-anywhere
expect_exit 126 /etc/passwd

rm -f out.json
"$cordon" profile -o out.json -- sh -c 'exit 3' || true
[[ -s out.json ]] || die "no recording of a program that failed"
ok "a program that fails leaves a recording"

output=$(echo one two | "$cordon" profile -o out.json -- cat)
expect_equal "standard input and output are the program's" "one two" "$output"

# A child that outlives its parent is followed to its end, and then nothing is left.
marker=7$RANDOM$RANDOM
# shellcheck disable=SC2016
"$cordon" profile --timeout 3s -o out.json -- sh -c 'sleep '"$marker"' & kill -9 $$' >output 2>&1 || true
sleep 0.2
left=$(grep -lzx "$marker" /proc/[0-9]*/cmdline 2>/dev/null || true)
expect_equal "no orphan is left" "" "$left"
[[ -s out.json ]] || die "no recording after --timeout: $(cat output)"
ok "--timeout leaves a recording"
left=$(find . -maxdepth 1 -name '*.json?*' -o -maxdepth 1 -name '.*json*')
expect_equal "no temporary file is left" "" "$left"
echo "ok: $checks checks"
