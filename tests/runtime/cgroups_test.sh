#!/bin/bash
# cgroups_test.sh BUILD_DIR: each limit of a sandbox, seen from outside in the files of its cgroups and from inside in what the workload may do;
# update, and what it does when it cannot; cgroups in a cgroup; what stats, top and tree say. On cgroup v1, which this host may have; v2 is
# tests/vm/cgroups.sh.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
need_root
cordon=${cordon:?} work=${work:?} victims=${victims:?}
for controller in memory cpu cpuset pids blkio devices freezer; do
  [[ -d /sys/fs/cgroup/$controller ]] || skip "this host has no cgroup v1 hierarchy with the $controller controller"
done
cd "$work"
cp "$victims/memory_hog" .
name=cg-$$

pid_of() { "$cordon" inspect "$name" --field pid 2>/dev/null; }
begun() { [[ $(pid_of) -gt 0 ]]; }
# sandbox OPTIONS… -- COMMAND…: its processes as the host numbers it in $pid, its log in $log.
sandbox() {
  log=$work/log.$RANDOM$RANDOM
  start_server "$log" "$cordon" run --name "$name" "$@"
  supervisor=$server
  wait_for "the sandbox: $(<"$log")" 30 begun
  pid=$(pid_of)
}
over() { stop_pid "$supervisor"; }
# cgroup_of CONTROLLER PID: its folder.
cgroup_of() { echo "/sys/fs/cgroup/$1$(grep -E "^[0-9]+:([^:]*,)?$1(,[^:]*)?:" "/proc/$2/cgroup" | cut -d: -f3)"; }
setting() { cat "$(cgroup_of "$1" "$pid")/$2"; }
inside() { "$cordon" exec "$name" -- "$@"; }
status_of() {
  status=0
  "$@" >out 2>err || status=$?
}
own_cgroups() { find /sys/fs/cgroup -maxdepth 6 -type d -name "cordon-$supervisor-*"; }
no_cgroups() { [[ -z $(own_cgroups) ]]; }

# 1. Every limit is where the kernel holds it.
disk=$(lsblk -nrpo NAME,TYPE 2>/dev/null | sed -n 's/ disk$//p' | head -n 1)
io=(--io-weight 200)
[[ -z $disk ]] || io+=(--device-read-bps "$disk:1M" --device-write-iops "$disk:77")
sandbox --memory 64M --memory-swap 96M --memory-reservation 32M --cpus 0.5 --cpu-weight 200 --cpuset-cpus 0 --pids 20 "${io[@]}" -- sleep 1000
expect_equal "memory" 67108864 "$(setting memory memory.limit_in_bytes)"
expect_equal "memory and swap" 100663296 "$(setting memory memory.memsw.limit_in_bytes)"
expect_equal "reservation" 33554432 "$(setting memory memory.soft_limit_in_bytes)"
expect_equal "quota of processors" "50000 100000" "$(setting cpu cpu.cfs_quota_us) $(setting cpu cpu.cfs_period_us)"
expect_equal "weight of processors" 2048 "$(setting cpu cpu.shares)"
expect_equal "processors" "0" "$(setting cpuset cpuset.cpus)"
expect_equal "inside, processors" 1 "$(inside nproc)"
expect_equal "control: outside" "$(grep -c ^processor /proc/cpuinfo)" "$(nproc)"
expect_equal "tasks, and one of cordon's" 21 "$(setting pids pids.max)"
if [[ -e $(cgroup_of blkio "$pid")/blkio.bfq.weight ]]; then
  expect_contains "weight of disks" 200 "$(setting blkio blkio.bfq.weight)"
fi
if [[ -n $disk ]]; then
  expect_contains "reads of a disk" " 1048576" "$(setting blkio blkio.throttle.read_bps_device)"
  expect_contains "writes of a disk" " 77" "$(setting blkio blkio.throttle.write_iops_device)"
fi
for controller in memory cpu cpuset pids blkio freezer; do
  [[ $(cgroup_of $controller "$pid") == */cordon-$supervisor-* ]] || die "outside, $controller: $(cgroup_of $controller "$pid")"
  grep -qx "$pid" "$(cgroup_of $controller "$pid")/cgroup.procs" || die "it is not in its $controller cgroup"
  expect_equal "inside, $controller is the root" "/" "$(inside sh -c "grep -E ':([^:]*,)?$controller(,[^:]*)?:' /proc/self/cgroup | cut -d: -f3")"
done
expect_equal "inspect says the limits" 67108864 "$("$cordon" inspect "$name" --field limits.memory.limit)"

# 2. stats, top and tree.
json=$("$cordon" stats "$name" --no-stream --json)
figure() { /usr/bin/python3 -I -c "import json, sys; print(json.load(sys.stdin)[0].get('$1'))" <<<"$json"; }
expect_equal "stats: the limit of memory" 67108864 "$(figure memory_limit_bytes)"
expect_equal "stats: that of tasks" 21 "$(figure tasks_limit)"
expect_equal "stats: tasks" "$(setting pids pids.current)" "$(figure tasks)"
expect_equal "stats: nobody was killed" 0 "$(figure oom_kills)"
(($(figure memory_bytes) > 0 && $(figure cpu_us) >= 0)) || die "stats: $json"
ok "stats: memory and processor time"
expect_contains "as a table" "64.0M" "$("$cordon" stats --no-stream)"
"$cordon" stats "$name" --json >stream &
watcher=$!
at_end stop_pid $watcher
three() { (($(wc -l <stream) >= 3)); }
wait_for "three lines of a stream" 30 three
top=$("$cordon" top "$name")
expect_contains "top: the workload, outside and inside" "$(printf '%7d  %6d  root' "$pid" 2)" "$top"
expect_contains "top: its command" "sleep 1000" "$top"
expect_contains "top: the sandbox's first process" "cordon-init" "$top"
expect_equal "top as JSON: numbers inside" "1 2" \
  "$("$cordon" top "$name" --json | /usr/bin/python3 -I -c 'import json, sys; print(*sorted(p["inside"] for p in json.load(sys.stdin)))')"
tree=$("$cordon" tree "$name")
expect_contains "tree: the cgroup" "cordon-$supervisor-0 (" "$tree"
expect_contains "tree: the workload in it" "└─$pid sleep 1000" "$tree"

# 3. update changes what is held, and all of a sandbox.
"$cordon" update "$name" --memory 128M --memory-swap 160M --cpus 1.5 --pids 40 --cpu-shares 512
expect_equal "more memory" 134217728 "$(setting memory memory.limit_in_bytes)"
expect_equal "and swap" 167772160 "$(setting memory memory.memsw.limit_in_bytes)"
expect_equal "more processors" 150000 "$(setting cpu cpu.cfs_quota_us)"
expect_equal "less weight" 512 "$(setting cpu cpu.shares)"
expect_equal "more tasks" 41 "$(setting pids pids.max)"
"$cordon" update "$name" --memory 48M --memory-swap 48M --pids max
expect_equal "less memory" "50331648 50331648" "$(setting memory memory.limit_in_bytes) $(setting memory memory.memsw.limit_in_bytes)"
expect_equal "any number of tasks" max "$(setting pids pids.max)"
expect_equal "what was not named stays" 150000 "$(setting cpu cpu.cfs_quota_us)"
expect_equal "inspect says what holds now" "50331648 -1" "$("$cordon" inspect "$name" --field limits.memory.limit) $("$cordon" inspect "$name" --field limits.pids.limit)"
status_of "$cordon" update "$name" --memory 64M
expect_equal "memory over memory and swap is refused" 125 "$status"
expect_contains "with the reason" "--memory-swap" "$(cat err)"
status_of "$cordon" update "$name" --memory-high 32M
expect_equal "what v1 has no file for is refused" 125 "$status"
expect_contains "with the reason" "cgroup v1 has nothing like memory.high" "$(cat err)"
status_of "$cordon" update "$name" --cpuset-cpus 4000
expect_equal "a processor that is not there is refused" 125 "$status"
expect_equal "and what held before holds" 0 "$(setting cpuset cpuset.cpus)"
status_of "$cordon" update "$name" --memory 40M --memory-swap 40M --cpus 0.25 --cpuset-cpus 4000
expect_equal "so are others beside it" 125 "$status"
expect_equal "and nothing of it holds" "50331648 50331648 150000 0" \
  "$(setting memory memory.limit_in_bytes) $(setting memory memory.memsw.limit_in_bytes) $(setting cpu cpu.cfs_quota_us) $(setting cpuset cpuset.cpus)"
status_of "$cordon" update "$name"
expect_equal "nothing to change" 2 "$status"
over
wait_for "the removal of its cgroups" 20 no_cgroups

# 4. A limit that the sandbox did not begin with.
sandbox -- sh -c 'while :; do sh -c "sleep 0.02 & wait"; done'
expect_missing "control: it has no cgroup" "/cordon-" "$(cat "/proc/$pid/cgroup")"
"$cordon" update "$name" --pids 33
expect_equal "a limit comes to a sandbox without" 34 "$(setting pids pids.max)"
inside sleep 1000 &
all_in() {
  local process
  for process in $("$cordon" top "$name" --json | sed -n 's/.*"pid": \([0-9]*\),/\1/p'); do
    [[ $(cgroup_of pids "$process") == */cordon-$supervisor-* || ! -e /proc/$process ]] || return 1
  done
}
wait_for "all of its processes in the cgroup" 20 all_in
status_of "$cordon" update "$name" --cpus 0.5 --cpuset-cpus 4000
expect_equal "limits that cannot all be held are refused" 125 "$status"
expect_missing "and no cgroup is left of those" "/cordon-" "$(grep -E ':([^:]*,)?(cpu|cpuset)(,[^:]*)?:' "/proc/$pid/cgroup")"
"$cordon" update "$name" --cpus 0.5
expect_equal "control: one alone is held" 50000 "$(setting cpu cpu.cfs_quota_us)"
shares=$(setting cpu cpu.shares)
status_of "$cordon" update "$name" --cpu-shares 512 --cpuset-cpus 4000
expect_equal "what never was limited" 125 "$status"
expect_equal "is not, either" "$shares" "$(setting cpu cpu.shares)"
ok "and all of its processes are in it, a further command too"
"$cordon" pause "$name"
expect_equal "it can be paused now" paused "$("$cordon" inspect "$name" --field status)"
"$cordon" resume "$name"
over
wait_for "the removal of its cgroups" 20 no_cgroups

# 5. What the limits do.
status_of "$cordon" run --memory 32M --volume "$work:/mnt:ro" -- /mnt/memory_hog 128
expect_equal "too much memory" 137 "$status"
expect_contains "is called so" "killed 1 of its processes for want of memory, under a limit of 32M" "$(cat err)"
status_of "$cordon" run --memory 256M --volume "$work:/mnt:ro" -- /mnt/memory_hog 128
expect_equal "control: enough of it" "0 ok" "$status $(cat out)"
expect_missing "and nothing is said" "for want of memory" "$(cat err)"
status_of "$cordon" run --pids 5 -- sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait'
expect_contains "too many tasks are told" "refused than 5: --pids allows more" "$(cat err)"
sandbox --memory 64M -- sh -c 'sleep 1000'
"$cordon" update "$name" --memory 24M
status_of "$cordon" exec "$name" -- "$PWD/memory_hog" 48
expect_equal "update holds what comes after it" 137 "$status"
expect_equal "stats counts who was killed" 1 "$(json=$("$cordon" stats "$name" --no-stream --json) && figure oom_kills)"
expect_equal "the sandbox lives" "$pid" "$(pid_of)"
over

# 6. Devices.
status_of "$cordon" run --device /dev/null -- sh -c 'echo x >/dev/null && head -c 1 /dev/zero | wc -c && : </dev/full'
expect_equal "ordinary devices stay" "0 1" "$status $(cat out)"
mknod -m 666 kmsg c 1 11
opening=(--volume "$work:/mnt:dev" -- sh -c ': >>/mnt/kmsg')
status_of "$cordon" run "${opening[@]}"
expect_equal "control: a file leads to a device" 0 "$status"
status_of "$cordon" run --device /dev/null "${opening[@]}"
[[ $status != 0 ]] || die "a device that is not named was opened"
expect_contains "a device that is not named is refused" "not permitted" "$(cat err)"
status_of "$cordon" run --device-rule 'c 1:11 rm' "${opening[@]}"
[[ $status != 0 ]] || die "a device was opened for writing under a rule for reading"
expect_contains "one that may be read only is not written" "not permitted" "$(cat err)"
status_of "$cordon" run --device-rule 'c 1:11 w' "${opening[@]}"
expect_equal "a rule allows it" 0 "$status"
status_of "$cordon" run --device /dev/null:/dev/nothing:rw -- sh -c 'echo x >/dev/nothing && ls /dev/nothing'
expect_equal "a device under another name" "0 /dev/nothing" "$status $(cat out)"
status_of "$cordon" run --device /etc/passwd -- true
expect_equal "what is no device" 2 "$status"

# 7. A cgroup in a cgroup: what holds the one above holds here.
parent=cordon-test-$$
at_end rmdir "/sys/fs/cgroup/memory/$parent" "/sys/fs/cgroup/freezer/$parent"
mkdir "/sys/fs/cgroup/memory/$parent"
echo 32M >"/sys/fs/cgroup/memory/$parent/memory.limit_in_bytes"
status_of "$cordon" run --memory 256M --cgroup-parent "/$parent" --volume "$work:/mnt:ro" -- /mnt/memory_hog 128
expect_equal "the limit of the cgroup above holds" 137 "$status"
expect_contains "and who was killed is told" "for want of memory" "$(cat err)"
echo 256M >"/sys/fs/cgroup/memory/$parent/memory.limit_in_bytes"
status_of "$cordon" run --memory 256M --cgroup-parent "/$parent" --volume "$work:/mnt:ro" -- /mnt/memory_hog 128
expect_equal "control: a wider one lets it" 0 "$status"
sandbox --memory 64M --cgroup-parent "/$parent" -- sleep 1000
expect_equal "it is below that cgroup" "/sys/fs/cgroup/memory/$parent/cordon-$supervisor-0" "$(cgroup_of memory "$pid")"
expect_equal "inside, it is the root all the same" "/" "$(inside sh -c 'grep :memory: /proc/self/cgroup | cut -d: -f3')"
mkdir "$(cgroup_of memory "$pid")/below"
own=$(cgroup_of memory "$pid")
echo 16M >"$own/below/memory.limit_in_bytes"
echo "$pid" >"$own/below/cgroup.procs"
expect_equal "inside, a cgroup below is seen below" "/below" "$("$cordon" exec "$name" -- cat "/proc/2/cgroup" | grep :memory: | cut -d: -f3)"
expect_contains "tree draws it" "below" "$("$cordon" tree "$name")"
over
wait_for "the removal of its cgroups" 20 no_cgroups
[[ -d /sys/fs/cgroup/memory/$parent ]] || die "the parent is gone"
ok "and of those below; the parent stays"
status_of "$cordon" run --memory 64M --cgroup-parent ../x -- true
expect_equal "a parent beside the hierarchy is refused" 2 "$status"

# 8. An ordinary user's sandbox has no cgroup: its processes are counted.
if command -v setpriv >/dev/null; then
  install -d -o 65534 -g 65534 -m 700 "$work/runtime"
  ordinary=(setpriv --reuid 65534 --regid 65534 --clear-groups env "XDG_RUNTIME_DIR=$work/runtime")
  start_server "$work/log.o" "${ordinary[@]}" "$cordon" run --name "$name" -- sleep 1000
  its_pid() { "${ordinary[@]}" "$cordon" inspect "$name" --field pid; }
  running() { [[ $(its_pid) -gt 0 ]]; }
  wait_for "an ordinary user's sandbox" 30 running
  json=$("${ordinary[@]}" "$cordon" stats "$name" --no-stream --json)
  expect_equal "stats counts its tasks" 2 "$(figure tasks)"
  (($(figure memory_bytes) > 0)) || die "no memory: $json"
  expect_contains "top shows it" "$(printf '%7d  %6d  nobody' "$(its_pid)" 2)" "$("${ordinary[@]}" "$cordon" top "$name")"
  expect_contains "tree says that there is none" "no cgroup of its own" "$("${ordinary[@]}" "$cordon" tree "$name")"
  status_of "${ordinary[@]}" "$cordon" update "$name" --memory 64M
  expect_equal "it cannot be given one" 125 "$status"
  expect_equal "and says why in one line" 1 "$(wc -l <err)"
  stop_pid "$server"
fi
echo "ok: $checks checks"
