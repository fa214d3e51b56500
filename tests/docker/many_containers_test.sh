#!/bin/bash
# many_containers_test.sh BUILD_DIR: 200 containers started and removed through Docker, 20 at once, leave nothing: no descriptor of the engine's, no mount, no
# cgroup, no state, no process, no growing memory. Every one says what it should.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
# shellcheck source=tests/docker/engine.sh
source "$here/engine.sh"
need_root
need_programs /usr/sbin/dockerd /usr/bin/docker runc
# shellcheck disable=SC2034  # for start_engine
engine_arguments=(--add-runtime "tested=$build/bin/cordon-runtime")
start_engine
make_image box

one() {
  local said
  said=$("${docker[@]}" run --rm --runtime tested --network none --memory 64m box /bin/sh -c "echo number $1" 2>&1)
  [[ ${said##*$'\n'} == "number $1" ]] || echo "container $1: $said"
}
# batch FIRST COUNT: that many at once.
batch() {
  local i pids=()
  for ((i = $1; i < $1 + $2; i++)); do
    one "$i" >>"$work/wrong" &
    pids+=("$!")
  done
  wait "${pids[@]}"
}

engine_processes() { echo "$engine_pid $(cat "$engine/exec/containerd/containerd.pid")"; }
# descriptors: the engine's open ones by kind.
descriptors() {
  local pid
  for pid in $(engine_processes); do
    find "/proc/$pid/fd" -type l -printf '%l\n' 2>/dev/null
  done | sed 's/\[[0-9]*\]//; s/:.*//' | sort | uniq -c
}
count() { descriptors | awk '{ n += $1 } END { print n }'; }
mounts() { wc -l </proc/self/mountinfo; }
cgroups() { find /sys/fs/cgroup -type d -path "*/$(basename "$work")/*" | wc -l; }
state() { find "$engine/exec" -mindepth 2 \( -path '*runtime-tested/moby/*' -o -path '*/containerd/daemon/io.containerd.runtime*/moby/*' \) ! -path '*/.filters*' | wc -l; }
# left: processes of the runtime, and shims.
left() { pgrep -f "$engine/exec/" | while read -r pid; do [[ " $(engine_processes) " == *" $pid "* ]] || cat "/proc/$pid/comm" 2>/dev/null; done | sort | uniq -c; }
memory_kib() {
  local pid
  for pid in $(engine_processes); do
    sed -n 's/^RssAnon:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$pid/status"
  done | awk '{ n += $1 } END { print n }'
}
nothing_left() { [[ -z $(left) ]]; }
: >"$work/wrong"

# What is made once, and kept.
batch 0 20
batch 20 20
wait_for "the end of all processes" 30 nothing_left
expect_equal "the first ones say what they should" "" "$(<"$work/wrong")"
descriptors_before=$(count) mounts_before=$(mounts) cgroups_before=$(cgroups) state_before=$(state) memory_before=$(memory_kib)

for ((round = 0; round < 10; round++)); do
  batch $((100 + 20 * round)) 20
done
expect_equal "all 200 say what they should" "" "$(<"$work/wrong")"
wait_for "the end of all processes" 30 nothing_left
ok "no process is left"
# The engine closes what calls had open a little later, and keeps more or fewer connections; one left by each container would be 200.
as_before() { (($(count) <= descriptors_before + 20)); }
wait_for "the engine's descriptors to be closed (before: $descriptors_before, now: $(count): $(descriptors | tr '\n' ' '))" 30 as_before
ok "descriptors of the engine: $(count), before $descriptors_before"
expect_equal "no mount is left" "$mounts_before" "$(mounts)"
expect_equal "no cgroup is left" "$cgroups_before" "$(cgroups)"
expect_equal "no state is left" "$state_before" "$(state)"
expect_equal "no container is left" "" "$("${docker[@]}" ps -aq)"
memory_after=$(memory_kib)
# 200 that each left 100 KiB would be 20 MiB.
((memory_after < memory_before + 20480)) || die "the engine's memory grew from $memory_before to $memory_after KiB"
ok "memory of the engine: $memory_after KiB, before $memory_before KiB"
echo "ok: $checks checks"
