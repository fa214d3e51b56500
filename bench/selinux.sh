#!/bin/bash
# selinux.sh BUILD_DIR: what `cordon generate` takes for a module for Debian's reference policy, proven with all of it, by the distinct paths of the
# recording: without the cache, filling it, and from it.
set -euo pipefail

build=$(cd "${1:?usage: selinux.sh BUILD_DIR}" && pwd)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
policy=$(bash "$root/tests/selinux/debian-policy.sh")
work=$(mktemp -d /var/tmp/cordon-selinux.XXXXXX)
trap 'rm -rf "$work"' EXIT
cd "$work"

printf '%-10s%12s%12s%12s%12s%14s\n' paths cache seconds processor 'peak KiB' 'module KiB'
for paths in 1000 100000; do
  "$build/bench/write_recordings" . 1 60 "$paths"
  # A quarter each of data, of the system, of state and of configuration.
  python3 - <<'PY'
import re
places = ["/srv/data", "/usr/share/server", "/var/lib/server", "/etc/server"]
text = open("000000.recording.json").read()
text = re.sub(r'"/srv/data/(\d+)/', lambda found: f'"{places[int(found[1]) % 4]}/{found[1]}/', text)
open("mixed.recording.json", "w").write(text)
PY
  for cache in none filled used; do
    [[ $cache != filled ]] || rm -rf cache
    python3 - "$paths" "$cache" "$build/bin/cordon" generate mixed.recording.json --name sample -o sample.policy --target "$policy" <<'PY'
import os, resource, subprocess, sys, time
paths, cache, command = sys.argv[1], sys.argv[2], sys.argv[3:]
os.environ["XDG_CACHE_HOME"] = os.path.abspath("cache")
if cache == "none":
    command.append("--no-cache")
start = time.monotonic()
subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
seconds = time.monotonic() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{paths:<10}{cache:>12}{seconds:12.2f}{used.ru_utime + used.ru_stime:12.2f}{used.ru_maxrss:12}"
      f"{os.path.getsize('sample.policy/sample.cil') // 1024:14}")
PY
  done
done
