#!/bin/bash
# learn.sh WORKLOAD FOLDER: learns one of the workloads of workloads.sh in two runs, a first start and one that finds what the first has left, and
# writes FOLDER/WORKLOAD.recording.json and FOLDER/WORKLOAD.policy. As root; nothing of the host's own files and ports is used or changed.
# CORDON is the program (default: cordon). A recording that is in FOLDER already is kept and added to.
set -euo pipefail
# shellcheck source=policies/examples/workloads.sh
source "$(dirname "${BASH_SOURCE[0]}")/workloads.sh"
name=${1:?usage: learn.sh WORKLOAD FOLDER, where WORKLOAD is one of: $(workload_names | xargs)}
folder=$(realpath "${2:?usage: learn.sh WORKLOAD FOLDER}")
workload_names | grep -qx -- "$name" || {
  echo "learn.sh: there is no workload '$name'; there are: $(workload_names | xargs)" >&2
  exit 2
}
cordon=${CORDON:-cordon}
# A cgroup of this host has a name that nobody else has.
more_namespaces=(--cgroup)
enter "$(realpath "${BASH_SOURCE[0]}")" "$name" "$folder"

declare -n command=${name}_command ends=${name}_ends workload_user=${name}_user
place "$name"
as=()
[[ $workload_user == root ]] || as=("${as_nobody[@]}")
mkdir /run/learned
recording=/run/learned/$name.recording.json
[[ ! -e $folder/$name.recording.json ]] || cp "$folder/$name.recording.json" "$recording"
chown -R "$workload_user:" /run/learned
# The environment that a service has: what is in this shell's is not the workload's.
clean=(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8)

tell() { kill -"$1" "$(pgrep -P "$profile")"; }
exec {log}> >(cat >>/run/learned.log)
trap 'kill -TERM "${profile:-}" 2>/dev/null || true' EXIT

for signal in "${ends[@]}"; do
  (
    cd /
    # A service has no more descriptors than these three, and a pipe or socket to write to.
    for descriptor in /proc/self/fd/*; do
      descriptor=${descriptor##*/}
      ((descriptor < 3)) || eval "exec $descriptor>&-"
    done
    exec "${clean[@]}" "${as[@]}" "$cordon" profile --quiet --append "$recording" -- "${command[@]}"
  ) </dev/null >&"$log" 2>&1 &
  profile=$!
  disown "$profile"
  limit=$((SECONDS + 60))
  until "${name}_works"; do
    if ((SECONDS >= limit)) || [[ ! -d /proc/$profile ]]; then
      echo "learn.sh: $name does not answer under cordon profile: $(tail -n 20 /run/learned.log)" >&2
      exit 1
    fi
    sleep 0.2
  done
  "${name}_do"
  tell "$signal"
  while [[ -d /proc/$profile ]]; do sleep 0.1; done
done
profile=
install -m 644 "$recording" "$folder/$name.recording.json"
"$cordon" generate "$folder/$name.recording.json" --name "cordon_$name" --target refpolicy-debian12 -o "$folder/$name.policy"
# Made of the rest again at any time, by cordon report.
rm -f "$folder/$name.policy/report.html"
