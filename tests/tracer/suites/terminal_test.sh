#!/bin/bash
# terminal_test.sh BUILD_DIR shell|job|vi|nano|less: an interactive program on a pseudo-terminal behaves under either tier as it does natively
# (terminal_dialogues.py), and leaves a recording.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../../testing/harness.sh"
dialogue=$2
need_programs /usr/bin/python3 bash
case $dialogue in
  vi) need_programs vim.tiny ;;
  nano | less) need_programs "$dialogue" ;;
esac

talk() {
  mkdir "$work/$1"
  (cd "$work/$1" && timeout -k 5 150 /usr/bin/python3 "$here/terminal_dialogues.py" "$dialogue" "${@:2}" 2>&1) || true
}

native=$(talk native)
[[ $native == "exit status"* ]] || die "natively: $native"
ok "natively: $native"
for tier in exact filtered; do
  expect_equal "under the $tier tier" "$native" "$(talk "$tier" "$cordon" profile --quiet --tier "$tier" -o "$work/$tier.json" --)"
  "$cordon" show "$work/$tier.json" >/dev/null || die "no recording of the $tier tier"
done
