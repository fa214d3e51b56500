#!/bin/bash
# Where cgroup v2 has every controller: each limit of a sandbox, seen from outside in the files of its cgroup and from inside in what the workload
# may do; devices by a program; update; a cgroup in a cgroup; what stats and tree say. The same of cgroup v1 is tests/runtime/cgroups_test.sh.
set -u
cd "$(mktemp -d)" || exit 1
checks=0
name=cg
fail() { echo "not ok: $*"; exit 1; }
ok() { checks=$((checks + 1)); echo "ok $checks: $*"; }
equal() { [[ $2 == "$3" ]] || fail "$1: wanted '$2', got '$3'"; ok "$1"; }
contains() { [[ $3 == *"$2"* ]] || fail "$1: '$2' is not in: $3"; ok "$1"; }
wait_for() {
  local what=$1 limit=$((SECONDS + 120))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < limit)) || fail "$what did not come about: $(cat log)"
    sleep 0.2
  done
}
pid_of() { cordon inspect $name --field pid 2>/dev/null; }
begun() { [[ $(pid_of) -gt 0 ]]; }
sandbox() {
  cordon run --name $name "$@" >log 2>&1 &
  supervisor=$!
  wait_for "the sandbox" begun
  pid=$(pid_of)
  folder=/sys/fs/cgroup$(cut -d: -f3 "/proc/$pid/cgroup")
}
over() {
  kill $supervisor
  wait $supervisor
  [[ ! -e $folder ]] || fail "its cgroup $folder is left"
}
setting() { cat "$folder/$1"; }
inside() { cordon exec $name -- "$@"; }
status_of() {
  status=0
  "$@" >out 2>err || status=$?
}

grep -q memory /sys/fs/cgroup/cgroup.controllers || fail "this kernel has no cgroup v2 with controllers"

# 1. Every limit is where the kernel holds it, and inside its cgroup is the root.
sandbox --memory 64M --memory-swap 96M --memory-reservation 32M --memory-high 48M --cpus 0.5 --cpu-weight 200 --cpuset-cpus 0 --cpuset-mems 0 --pids 20 \
  --device-read-bps /dev/nvme0n1:1M --device-write-iops /dev/nvme0n1:77 -- sleep 1000
equal "it is in one cgroup" "/sys/fs/cgroup/cordon-$supervisor-0" "$folder"
equal "memory" 67108864 "$(setting memory.max)"
equal "swap" 33554432 "$(setting memory.swap.max)"
equal "reservation" 33554432 "$(setting memory.low)"
equal "high" 50331648 "$(setting memory.high)"
equal "quota of processors" "50000 100000" "$(setting cpu.max)"
equal "weight of processors" 200 "$(setting cpu.weight)"
equal "processors and memory nodes" "0 0" "$(setting cpuset.cpus) $(setting cpuset.mems)"
equal "inside, processors" 1 "$(inside nproc)"
equal "control: outside" 2 "$(nproc)"
equal "tasks, and one of cordon's" 21 "$(setting pids.max)"
contains "reads of a disk" "rbps=1048576" "$(setting io.max)"
contains "writes of a disk" "wiops=77" "$(setting io.max)"
grep -qx "$pid" "$folder/cgroup.procs" || fail "it is not in its cgroup"
equal "inside, it is the root" "0::/" "$(inside cat /proc/self/cgroup)"
equal "inspect says the limits" "67108864 50331648" "$(cordon inspect $name --field limits.memory.limit) $(cordon inspect $name --field limits.unified | tr -dc '0-9')"

# 2. stats and tree.
json=$(cordon stats $name --no-stream --json)
contains "stats: the limit of memory" '"memory_limit_bytes":67108864' "$json"
contains "stats: that of tasks" '"tasks_limit":21' "$json"
contains "stats: nobody was killed" '"oom_kills":0' "$json"
contains "stats: processor time" '"cpu_us":' "$json"
tree=$(cordon tree $name)
contains "tree: the cgroup" "└─/cordon-$supervisor-0 (v2)" "$tree"
contains "tree: the workload in it" "└─$pid sleep 1000" "$tree"
contains "top: the workload, outside and inside" "$(printf '%7d  %6d  root' "$pid" 2)" "$(cordon top $name)"

# 3. update.
cordon update $name --memory 128M --memory-swap max --memory-high max --cpus 1.5 --pids 40 --cpu-shares 512 --device-read-bps /dev/nvme0n1:max || fail "update"
equal "more memory" "134217728 max max" "$(setting memory.max) $(setting memory.swap.max) $(setting memory.high)"
equal "more processors" "150000 100000" "$(setting cpu.max)"
equal "less weight" 50 "$(setting cpu.weight)"
equal "more tasks" 41 "$(setting pids.max)"
contains "reads of a disk as fast as they come" "rbps=max wbps=max riops=max wiops=77" "$(setting io.max)"
equal "what was not named stays" 33554432 "$(setting memory.low)"
status_of cordon update $name --cpuset-cpus 4000
equal "a processor that is not there is refused" 125 "$status"
equal "and what held before holds" 0 "$(setting cpuset.cpus)"

# 4. Freeze.
cordon pause $name
equal "frozen" "1" "$(sed -n 's/^frozen //p' "$folder/cgroup.events")"
cordon resume $name
equal "let go" "0" "$(sed -n 's/^frozen //p' "$folder/cgroup.events")"
over
ok "its cgroup is gone"

# 5. A limit that the sandbox did not begin with, and a controller that its cgroup did not begin with.
sandbox -- sleep 1000
equal "control: it is where cordon is" "$(cat /proc/self/cgroup)" "$(cat "/proc/$pid/cgroup")"
cordon update $name --pids 33 || fail "update"
folder=/sys/fs/cgroup$(cut -d: -f3 "/proc/$pid/cgroup")
equal "a limit comes to a sandbox without" 34 "$(setting pids.max)"
equal "with all its processes" 2 "$(wc -l <"$folder/cgroup.procs")"
cordon update $name --memory 77M || fail "update"
equal "another controller comes later" "80740352 34" "$(setting memory.max) $(setting pids.max)"
over

# 6. What the limits do.
status_of cordon run --memory 32M --volume /vm/cgroups:/mnt:ro -- /mnt/memory_hog 96
equal "too much memory" 137 "$status"
contains "is called so" "killed 1 of its processes for want of memory, under a limit of 32M" "$(cat err)"
status_of cordon run --memory 256M --volume /vm/cgroups:/mnt:ro -- /mnt/memory_hog 96
equal "control: enough of it" "0 ok" "$status $(cat out)"
status_of cordon run --pids 5 -- sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait'
contains "too many tasks are told" "refused than 5: --pids allows more" "$(cat err)"
sandbox --memory 192M --volume /vm/cgroups:/mnt:ro -- sh -c '/mnt/memory_hog 64 wait'
grown() { (($(setting memory.current) > 64 * 1024 * 1024)); }
wait_for "a workload that holds memory" grown
status_of cordon update $name --memory 32M
equal "a limit below what is used is refused" 125 "$status"
contains "and says that it would kill" "would kill it" "$(cat err)"
equal "what held before holds, and nobody was killed" "201326592 oom_kill 0" "$(setting memory.max) $(grep '^oom_kill ' "$folder/memory.events")"
status_of cordon exec $name -- /mnt/memory_hog 192
equal "the limit holds for further commands" 137 "$status"
contains "stats counts who was killed" '"oom_kills":1' "$(cordon stats $name --no-stream --json)"
over

# 7. Devices, by a program of the cgroup.
mknod -m 666 kmsg c 1 11
opening=(--volume "$PWD:/mnt:dev" -- sh -c ': >>/mnt/kmsg')
status_of cordon run "${opening[@]}"
equal "control: a file leads to a device" 0 "$status"
status_of cordon run --device /dev/null "${opening[@]}"
[[ $status != 0 ]] || fail "a device that is not named was opened"
contains "a device that is not named is refused" "not permitted" "$(cat err)"
status_of cordon run --device-rule 'c 1:11 rm' "${opening[@]}"
[[ $status != 0 ]] || fail "a device was opened for writing under a rule for reading"
ok "one that may be read only is not written"
status_of cordon run --device-rule 'c 1:11 w' "${opening[@]}"
equal "a rule allows it" 0 "$status"
status_of cordon run --device /dev/null -- sh -c 'echo x >/dev/null && head -c 1 /dev/zero | wc -c'
equal "ordinary devices stay" "0 1" "$status $(cat out)"

# 8. A cgroup in a cgroup: what holds the one above holds here.
mkdir /sys/fs/cgroup/above
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
echo 32M >/sys/fs/cgroup/above/memory.max
status_of cordon run --memory 256M --cgroup-parent /above/below --volume /vm/cgroups:/mnt:ro -- /mnt/memory_hog 96
equal "the limit of the cgroup above holds" 137 "$status"
contains "and who was killed is told" "for want of memory" "$(cat err)"
equal "controllers are switched on all the way" "memory" "$(grep -ow memory /sys/fs/cgroup/above/cgroup.subtree_control)"
echo 256M >/sys/fs/cgroup/above/memory.max
status_of cordon run --memory 256M --cgroup-parent /above/below --volume /vm/cgroups:/mnt:ro -- /mnt/memory_hog 96
equal "control: a wider one lets it" 0 "$status"
sandbox --pids 20 --cgroup-parent /above/below -- sleep 1000
equal "it is below that cgroup" "/sys/fs/cgroup/above/below/cordon-$supervisor-0" "$folder"
equal "inside, it is the root all the same" "0::/" "$(inside cat /proc/self/cgroup)"
mkdir "$folder/deeper"
echo "$pid" >"$folder/deeper/cgroup.procs"
contains "tree draws one that was made in it" "deeper" "$(cordon tree $name)"
over
rmdir /sys/fs/cgroup/above/below /sys/fs/cgroup/above || fail "the parents cannot be removed"
ok "those below go with it; the parents stay"
echo "ok: $checks checks"
