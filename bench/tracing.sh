#!/bin/bash
# tracing.sh BUILD_DIR [ROUNDS]: what watching costs, beside strace, perf trace and bpftrace where they are installed; see tracing.py. The table is printed
# and left in BUILD_DIR/bench/tracing.md and tracing.json.
set -euo pipefail

build=$(cd "${1:?usage: tracing.sh BUILD_DIR [ROUNDS]}" && pwd)
exec /usr/bin/python3 "$(dirname "$0")/tracing.py" "$build" "$build/bench" --rounds "${2:-5}"
