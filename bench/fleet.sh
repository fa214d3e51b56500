#!/bin/bash
# fleet.sh BUILD_DIR [COUNT]: what merging COUNT recordings (default 10,000, one for each pod) of 300 calls and 1,000 files takes, beside a
# hundredth of them: time by their number, memory by what is distinct.
set -euo pipefail

build=$(cd "${1:?usage: fleet.sh BUILD_DIR [COUNT]}" && pwd)
count=${2:-10000}
# Not below /tmp, which may be memory.
work=$(mktemp -d /var/tmp/cordon-fleet.XXXXXX)
trap 'rm -rf "$work"' EXIT
mkdir "$work/fleet"
"$build/bench/write_recordings" "$work/fleet" "$count" 300 1000

printf '%-12s%12s%14s%12s\n' recordings seconds 'ms of each' 'peak KiB'
find "$work/fleet" -type f | sort >"$work/all"
for number in $((count / 100)) "$count"; do
  head -n "$number" "$work/all" >"$work/list"
  python3 - "$number" "$build/bin/cordon" merge --files-from "$work/list" --output "$work/merged.json" <<'PY'
import resource, subprocess, sys, time
number, command = int(sys.argv[1]), sys.argv[2:]
start = time.monotonic()
subprocess.run(command, check=True)
seconds = time.monotonic() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(f"{number:<12}{seconds:12.2f}{seconds / number * 1000:14.2f}{peak:12}")
PY
done
