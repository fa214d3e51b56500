#!/bin/bash
# generate.sh BUILD_DIR: what `cordon generate` takes from reading the recording to the written and proven bundle, seccomp and SELinux, by its
# distinct calls and paths.
set -euo pipefail

build=$(cd "${1:?usage: generate.sh BUILD_DIR}" && pwd)
work=$(mktemp -d /var/tmp/cordon-generate.XXXXXX)
trap 'rm -rf "$work"' EXIT
cd "$work"

printf '%-10s%10s%12s%12s%14s\n' calls paths seconds 'peak KiB' 'recording KiB'
for size in '60 1000' '1000 1000' '1000 100000'; do
  read -r calls paths <<<"$size"
  "$build/bench/write_recordings" . 1 "$calls" "$paths"
  python3 - "$calls" "$paths" "$build/bin/cordon" generate 000000.recording.json --name sample -o sample.policy <<'PY'
import os, resource, subprocess, sys, time
calls, paths, command = sys.argv[1], sys.argv[2], sys.argv[3:]
start = time.monotonic()
subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
seconds = time.monotonic() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(f"{calls:<10}{paths:>10}{seconds:12.2f}{peak:12}{os.path.getsize('000000.recording.json') // 1024:14}")
PY
done
