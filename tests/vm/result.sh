#!/bin/bash
# result.sh BUILD_DIR NAME: how the check NAME went in the virtual machine that boot.sh ran.
set -euo pipefail
results=${1:?usage: result.sh BUILD_DIR NAME}/vm/results
name=${2:?usage: result.sh BUILD_DIR NAME}
if [[ -e $results/skipped ]]; then
  cat "$results/skipped"
  exit 77
fi
if [[ -e $results/$name.skipped ]]; then
  echo "SKIPPED: $(<"$results/$name.skipped")"
  exit 77
fi
[[ -e $results/$name.rc ]] || {
  echo "the virtual machine did not come to $name"
  exit 1
}
cat "$results/$name.log"
status=$(<"$results/$name.rc")
if ((status != 0)); then
  echo "--- what the kernel said meanwhile:"
  cat "$results/$name.dmesg" 2>/dev/null || true
fi
exit "$status"
