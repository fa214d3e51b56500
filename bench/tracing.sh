#!/bin/bash
# tracing.sh BUILD_DIR [RUNS]: what watching costs, beside strace. Each workload is run natively, under both tiers of `cordon profile` and under
# strace with and without --seccomp-bpf, RUNS times (default 5) in turn, so that a slow moment of the machine hits all alike; printed are
# medians in milliseconds and the factor over native.
set -euo pipefail

build=$(cd "${1:?usage: tracing.sh BUILD_DIR [RUNS]}" && pwd)
runs=${2:-5}
cordon=$build/bin/cordon
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
command -v strace >/dev/null || {
  echo "tracing.sh: strace is missing: apt-get install strace" >&2
  exit 2
}

workloads=(calls files processes)
calls() { "$@" dd if=/dev/zero of=/dev/null bs=1 count=50000 status=none; }
files() { "$@" find /usr/include -name 'no such name' -size +1; }
# shellcheck disable=SC2016  # for the inner shell
processes() { "$@" sh -c 'i=0; while [ $i -lt 100 ]; do /bin/true; i=$((i+1)); done'; }

ways=(native exact filtered strace strace-bpf)
native() { "$@"; }
exact() { "$cordon" profile --quiet --tier exact -o out.json -- "$@"; }
filtered() { "$cordon" profile --quiet --tier filtered -o out.json -- "$@"; }
# With all that a recording needs: every call, its strings and descriptors.
strace_() { strace -f -qq -y -o out.strace "$@"; }
strace_bpf() { strace -f --seccomp-bpf -qq -y -e trace=file,network,process -o out.strace "$@"; }

way_function() {
  case $1 in
    strace) echo strace_ ;;
    strace-bpf) echo strace_bpf ;;
    *) echo "$1" ;;
  esac
}

for ((run = 0; run < runs; run++)); do
  for workload in "${workloads[@]}"; do
    for way in "${ways[@]}"; do
      start=${EPOCHREALTIME/./}
      "$workload" "$(way_function "$way")" >/dev/null 2>"$work/errors" || {
        echo "tracing.sh: $workload failed under $way: $(cat "$work/errors")" >&2
        exit 1
      }
      echo $((${EPOCHREALTIME/./} - start)) >>"$work/$workload.$way"
    done
  done
done

median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

printf '%-12s' workload
printf '%18s' "${ways[@]}"
printf '\n'
for workload in "${workloads[@]}"; do
  printf '%-12s' "$workload"
  base=$(median "$work/$workload.native")
  for way in "${ways[@]}"; do
    awk -v us="$(median "$work/$workload.$way")" -v base="$base" \
      'BEGIN { printf "%18s", sprintf("%.0f ms (%.1fx)", us / 1000, us / base) }'
  done
  printf '\n'
done
