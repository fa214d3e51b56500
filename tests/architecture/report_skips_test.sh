#!/bin/bash
# report_skips_test.sh SCRIPT: a label of which every test skipped fails the run, one of which some ran does not.
set -euo pipefail
script=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/CTestTestfile.cmake" <<'CTEST'
add_test("Alpha.Runs" "true")
set_tests_properties("Alpha.Runs" PROPERTIES LABELS "alpha")
add_test("Alpha.Skips/<1>" "sh" "-c" "echo SKIPPED: no moon; exit 77")
set_tests_properties("Alpha.Skips/<1>" PROPERTIES LABELS "alpha" SKIP_RETURN_CODE 77)
add_test("Beta.Skips" "sh" "-c" "echo SKIPPED: no sun; exit 77")
set_tests_properties("Beta.Skips" PROPERTIES LABELS "beta" SKIP_RETURN_CODE 77)
CTEST

run() { (cd "$work" && ctest --output-junit test-results.xml "$@" >/dev/null); }

run -L alpha
output=$("$script" "$work") || { echo "a label of which one test ran was refused: $output"; exit 1; }
[[ $output == *"label alpha: 1 ran, 1 skipped"* ]] || { echo "the skip was not counted: $output"; exit 1; }
[[ $output == *"no moon"* ]] || { echo "the reason is missing: $output"; exit 1; }
run
if output=$("$script" "$work" 2>&1); then
  echo "a label that skipped completely was accepted: $output"
  exit 1
fi
[[ $output == *"'beta'"* ]] || { echo "the label is not named: $output"; exit 1; }
CORDON_MAY_SKIP=beta "$script" "$work" >/dev/null || { echo "CORDON_MAY_SKIP is not kept"; exit 1; }
