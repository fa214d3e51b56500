#!/bin/bash
# report_test.sh BUILD_DIR: what `cordon report` takes, writes and refuses.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
cd "$work"

# report STATUS ARGUMENT…: runs it; what it said is in $said.
report() {
  local wanted=$1 status=0
  shift
  "${cordon:?}" report "$@" >stdout 2>stderr </dev/null || status=$?
  said=$(cat stderr)
  [[ $status == "$wanted" ]] || die "report $*: wanted exit $wanted, got $status: $said"
}

"$cordon" profile -o cat.recording.json -- cat /etc/hostname >/dev/null 2>&1
"$cordon" profile -o sync.recording.json -- sync >/dev/null 2>&1
"$cordon" generate cat.recording.json --target refpolicy-debian12 -o cat.policy 2>/dev/null

report 0 cat.recording.json
expect_contains "it says where it is" "wrote 'cat.report.html'" "$said"
expect_contains "a recording alone" "A usable recording" "$(cat cat.report.html)"
report 0 cat.recording.json cat.policy -o both.html
expect_contains "with its policy" "recorded calls hold" "$(cat both.html)"
cmp both.html cat.policy/report.html || die "it differs from what generate wrote"
ok "as generate wrote it, too"
report 0 cat.policy -o policy.html
expect_contains "a policy alone" "This is a policy alone" "$(cat policy.html)"
report 0 sync.recording.json cat.policy -o -
expect_contains "a policy and what it was not learned from, on standard output" "Not ready to enforce" "$(cat stdout)"
report 0 cat.recording.json sync.recording.json -o two.html
expect_contains "two recordings side by side" "Seen only in B" "$(cat two.html)"

rm cat.policy/report.html
"$cordon" check cat.policy cat.recording.json >/dev/null
ok "a bundle is whole without its page"

report 2 cat.policy/seccomp.json
expect_contains "a profile is not a policy folder" "seccomp.json': neither a recording nor a policy folder" "$said"
report 2 cat.recording.json sync.recording.json cat.policy
expect_contains "what is no pair" "no pairs" "$said"
report 2 cat.recording.json cat.recording.json cat.recording.json
expect_contains "too many" "two recordings and two policies at most" "$said"
report 2 none.json
expect_contains "what is not there" "none.json" "$said"
report 2
report 2 cat.recording.json -o "$work/none/there.html"
expect_contains "where it cannot be written" "none/there.html" "$said"
rm cat.policy/why.json
report 2 cat.policy -o broken.html
expect_contains "a bundle without a part" "why.json" "$said"
[[ ! -e broken.html ]] || die "something was written"
ok "and writes nothing"
