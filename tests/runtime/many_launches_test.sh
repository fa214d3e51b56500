#!/bin/bash
# many_launches_test.sh BUILD_DIR [IN_A_ROW [AT_ONCE]]: 1,000 launches in a row and 100 at once, of which a part is killed: each ends as it
# should, and nothing is left: no process, cgroup, mount, place, namespace, descriptor of who launches.
if ((EUID == 0)) && [[ -z ${CORDON_OWN_MOUNTS:-} ]]; then
  CORDON_OWN_MOUNTS=yes exec unshare --mount --propagation private bash "$0" "$@"
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
in_a_row=${2:-1000} at_once=${3:-100}
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
need_root
cordon=${cordon:?} work=${work:?} victims=${victims:?}
install -d -m 700 /run/cordon
mount -t tmpfs -o mode=700 cordon /run/cordon
# What a process that is ours has among its arguments.
marker=launches-$$-$RANDOM

# cordon-PID-N, whose cordon is gone; another test may run its own meanwhile.
left_cgroups() {
  local folder pid
  find /sys/fs/cgroup -maxdepth 6 -type d -name 'cordon-*-*' 2>/dev/null | while read -r folder; do
    pid=${folder##*/cordon-}
    alive "${pid%-*}" || echo "$folder"
  done
}
processes() { grep -lz -- "$marker" /proc/[0-9]*/cmdline 2>/dev/null || true; }
no_processes() { [[ -z $(processes) ]]; }
half_are_listed() { (($("$cordon" list -q | grep -c at-once) >= at_once / 2)); }
left_before=$(left_cgroups)

mounts_before=$(</proc/self/mountinfo)
descriptors_before=$(ls /proc/self/fd)

"$cordon" run --pids 100 --memory 64M -- sh -c 'exit 7' "$marker" 2>/dev/null && die "control: the exit status is lost"
for ((i = 1; i <= in_a_row; i++)); do
  status=0
  "$cordon" run --pids 100 --memory 64M -- sh -c 'exit 7' "$marker" 2>"$work/said" || status=$?
  ((status == 7)) || die "launch $i of $in_a_row ended with $status: $(<"$work/said")"
done
ok "$in_a_row launches in a row ended as their commands did"

launched=()
for ((i = 0; i < at_once; i++)); do
  # shellcheck disable=SC2016  # for the shell inside
  "$cordon" run --name "at-once-$i" --pids 100 --memory 64M -- \
    sh -c 'while [ -d "$1" ] && [ ! -e "$1/gate" ]; do sleep 0.5; done; exit 7' "$marker" "$work" 2>"$work/said.$i" &
  launched+=($!)
done
wait_for "half of them in the list" 60 half_are_listed
ok "they run at the same time: $("$cordon" list -q | wc -l) in the list"
touch "$work/gate"
for ((i = 0; i < at_once; i++)); do
  status=0
  wait "${launched[i]}" || status=$?
  ((status == 7)) || die "launch $i of $at_once at once ended with $status: $(<"$work/said.$i")"
done
ok "$at_once launches at once ended as their commands did"

launched=()
for ((i = 0; i < at_once; i++)); do
  "$cordon" run --pids 100 --memory 64M -- sh -c 'sleep 1000' "$marker" 2>/dev/null &
  launched+=($!)
done
for pid in "${launched[@]}"; do
  kill -KILL "$pid"
  wait "$pid" 2>/dev/null || true
done
wait_for "the end of what was killed" 60 no_processes
ok "$at_once launches killed at whatever they did left no process"

no_cgroups_left() { [[ $(left_cgroups) == "$left_before" ]]; }
wait_for "the end of their cgroups" 60 no_cgroups_left
ok "no cgroup is left"
"$cordon" list >/dev/null
expect_equal "after list, no place is left" "" "$(find /run/cordon -mindepth 1 ! -name .lock)"
expect_equal "no mount is left" "$mounts_before" "$(</proc/self/mountinfo)"
expect_equal "no descriptor is left" "$descriptors_before" "$(ls /proc/self/fd)"
left=$(lsns -t net -t pid -n -o COMMAND 2>/dev/null | grep -c "$marker" || true)
expect_equal "no namespace is left" 0 "$left"
echo "ok: $checks checks"
