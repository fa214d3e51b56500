#!/bin/bash
# filter.sh BUILD_DIR: what the filter of a policy that was learned from nginx costs for each call, beside no filter, Docker 20.10's default
# profile, and the same policy without libseccomp's tree; medians of interleaved batches. A call that is allowed whatever its arguments is
# answered from the kernel's bitmap (Linux 5.11) and never reaches a program.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(cd "${1:?usage: filter.sh BUILD_DIR}" && pwd)
work=$(mktemp -d /var/tmp/cordon-filter.XXXXXX)
server=
finish() {
  if [[ -n $server ]]; then
    kill "$server" 2>/dev/null || true
    wait "$server" || true
  fi
  rm -rf "$work"
}
trap finish EXIT
chmod 755 "$work"
cd "$work"

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir pages logs
echo hello >pages/index.html
cat >nginx.conf <<EOF
worker_processes 1;
pid $work/nginx.pid;
error_log $work/logs/error.log;
events { }
http {
  access_log $work/logs/access.log;
  client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi;
  uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
  server { listen 127.0.0.1:$port; root $work/pages; }
}
EOF
"$build/bin/cordon" profile --quiet -o nginx.json -- nginx -c "$work/nginx.conf" -g 'daemon off;' &
server=$!
for ((i = 0; i < 100; i++)); do
  python3 -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:$port/')" 2>/dev/null && break
  sleep 0.1
done
kill "$(cat nginx.pid)"
wait "$server"
server=
"$build/bin/cordon" generate nginx.json --name nginx -o nginx.policy 2>/dev/null

"$build/bench/filter_cost" nginx.policy/seccomp.json "$here/../policies/docker_default.json" --benchmark_repetitions=7 \
  --benchmark_enable_random_interleaving=true --benchmark_report_aggregates_only=true --benchmark_format=json 2>/dev/null >cost.json
python3 - <<'PY'
import json
cost = {}
for row in json.load(open("cost.json"))["benchmarks"]:
    if row.get("aggregate_name") == "median":
        call, filter = row["run_name"].split("/")[:2]
        cost.setdefault(call, {})[filter] = (row["real_time"], int(row["instructions"]))
filters = ["none", "engine's default", "policy without tree", "policy", "policy, listener"]
print(f"{'ns of processor time':<44}" + "".join(f"{name:>22}" for name in filters))
print(f"{'instructions of the filter':<44}" + "".join(f"{cost[min(cost)][name][1]:>22}" for name in filters))
for call, of in sorted(cost.items()):
    print(f"{call:<44}" + "".join(f"{of[name][0]:>22.0f}" if name in of else f"{'-':>22}" for name in filters))
PY
