#!/bin/bash
# memory.sh BUILD_DIR [CALLS]: the largest resident set of cordon while it records CALLS calls (default 10 million) of the same behaviour, in
# either tier, beside a hundredth of that: it is bounded by what is distinct, not by how long a run takes.
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
build=$(cd "${1:?usage: memory.sh BUILD_DIR [CALLS]}" && pwd)
calls=${2:-10000000}

printf '%-10s%12s%12s%12s%14s\n' tier calls seconds 'peak KiB' 'calls/s'
for tier in exact filtered; do
  for count in $((calls / 100)) "$calls"; do
    read -r peak made seconds < <(python3 "$here/../tests/tracer/suites/peak_memory.py" "$build/bin/cordon" "$tier" \
      "$build/victims/many_calls" "$count")
    printf '%-10s%12s%12s%12s%14s\n' "$tier" "$made" "$seconds" "$peak" "$((made * 10 / ${seconds/./}))"
  done
done
