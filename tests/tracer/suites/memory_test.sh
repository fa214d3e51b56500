#!/bin/bash
# memory_test.sh BUILD_DIR TIER CALLS: ten times as many calls of the same behaviour make cordon no larger. The control: as many calls that
# each show something new do.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../../testing/harness.sh"
tier=$2 calls=$3
need_programs /usr/bin/python3
bound=2048 # KiB

peak() { /usr/bin/python3 "$here/peak_memory.py" "$cordon" "$tier" "$victims/many_calls" "$@"; }

read -r small few _ < <(peak "$calls")
read -r large many _ < <(peak $((calls * 10)))
((few >= calls && many >= calls * 10)) || die "$few and $many calls instead of $calls and ten times that"
((large - small < bound)) || die "the resident set grew from $small to $large KiB between $few and $many calls ($tier tier)"
ok "$few calls: $small KiB, $many calls: $large KiB ($tier tier)"
read -r large many _ < <(peak $((calls * 10)) distinct)
((large - small >= bound)) || die "control: $many calls with a new name in every 32nd took only $large KiB"
ok "control: with a new name in every 32nd of $many calls $large KiB"
