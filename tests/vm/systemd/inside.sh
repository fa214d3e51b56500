#!/bin/bash
# In the container that cgroups_systemd.sh makes, as one of its services.
set -u
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C HOME=/root
cd "$(mktemp -d)" || exit 1
chmod 755 .
checks=0
fail() { echo "not ok: $*"; echo "checked: failed"; exit 1; }
ok() { checks=$((checks + 1)); echo "ok $checks: $*"; }
equal() { [[ $2 == "$3" ]] || fail "$1: wanted '$2', got '$3'"; ok "$1"; }
contains() { [[ $3 == *"$2"* ]] || fail "$1: '$2' is not in: $3"; ok "$1"; }
wait_for() {
  local what=$1 limit=$((SECONDS + 100))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < limit)) || fail "$what did not come about: $(cat log)"
    sleep 0.2
  done
}
as=()
manager=--system
name=sd
pid_of() { "${as[@]}" cordon inspect $name --field pid 2>/dev/null; }
entered() { "${as[@]}" cordon inspect $name --field entered.0.pid; }
begun() { [[ $(pid_of) -gt 0 ]]; }
sandbox() {
  "${as[@]}" cordon run --name $name "$@" >log 2>&1 &
  supervisor=$!
  wait_for "the sandbox" begun
  pid=$(pid_of)
  folder=/sys/fs/cgroup$(cut -d: -f3 "/proc/$pid/cgroup")
  unit=$(unit_of "$folder")
}
unit_of() { basename "$(dirname "$1")"; }
property() { "${as[@]}" systemctl $manager show "$unit" -p "$1" --value; }
unit_gone() { [[ ! -e $folder ]]; }
over() {
  kill $supervisor
  wait $supervisor
  wait_for "the end of the scope" unit_gone
}
status_of() {
  status=0
  "$@" >out 2>err || status=$?
}

[[ -S /run/dbus/system_bus_socket ]] || fail "no system bus"
# 1. Root's: a scope of the machine's systemd.
sandbox --memory 64M --memory-high 48M --cpus 0.5 --cpu-weight 200 --pids 20 --cpuset-cpus 0 --device /dev/null -- sleep 1000
contains "a scope" ".scope" "$unit"
contains "in the slice of the system" "/system.slice/" "$folder"
contains "that systemd knows" "active running" "$(property ActiveState) $(property SubState)"
equal "the scope is delegated, and limits nothing" "yes infinity infinity" "$(property Delegate) $(property MemoryMax) $(property TasksMax)"
equal "the cgroup in it does" "67108864 50331648 50000 100000 200 21 0" \
  "$(cat "$folder/memory.max") $(cat "$folder/memory.high") $(cat "$folder/cpu.max") $(cat "$folder/cpu.weight") $(cat "$folder/pids.max") $(cat "$folder/cpuset.cpus")"
equal "inside, it is the root" "0::/" "$(cordon exec $name -- cat /proc/self/cgroup)"
cordon exec $name -- sleep 1000 &
wait_for "a further command" entered
equal "a further command is in the scope" "$(cut -d: -f3 "/proc/$pid/cgroup")" "$(cut -d: -f3 "/proc/$(entered)/cgroup")"
cordon update $name --memory 128M --pids 30 || fail "update"
equal "update changes them" "134217728 31 50331648" "$(cat "$folder/memory.max") $(cat "$folder/pids.max") $(cat "$folder/memory.high")"
systemctl daemon-reload
equal "they stay when systemd reads its units anew" "134217728 31" "$(cat "$folder/memory.max") $(cat "$folder/pids.max")"
cordon pause $name
equal "frozen" "frozen 1" "$(grep frozen "$folder/cgroup.events")"
cordon resume $name
over
ok "the scope ends with the sandbox"
sandbox --pids 20 -- sleep 1000
kill -KILL $supervisor
wait $supervisor 2>/dev/null
wait_for "the end of the scope" unit_gone
ok "and where cordon is killed"
sandbox --pids 20 -- sleep 1000
systemctl stop "$unit"
wait $supervisor
equal "stopping the scope ends the sandbox" 143 $?
status_of cordon run --memory 32M --volume /vm/cgroups_systemd:/mnt:ro -- /mnt/memory_hog 96
equal "too much memory" 137 "$status"
contains "is called so" "for want of memory, under a limit of 32M" "$(cat err)"
equal "nothing failed is left" "" "$(systemctl list-units --all --no-legend 'cordon-*.scope')"
status_of cordon run --memory 64M --cgroup-parent /x -- true
equal "a parent that is no slice" 2 "$status"
contains "is told" "a slice such as web.slice" "$(cat err)"
sandbox --pids 20 --cgroup-parent web-front.slice -- sleep 1000
contains "a slice in a slice" "/web.slice/web-front.slice/" "$folder"
over
sandbox -- sleep 1000
cordon update $name --pids 33 || fail "update of a sandbox without a cgroup"
folder=/sys/fs/cgroup$(cut -d: -f3 "/proc/$pid/cgroup")
contains "a sandbox without a cgroup comes into a scope" ".scope/" "$folder"
equal "with the limit" 34 "$(cat "$folder/pids.max")"
over

# 2. An ordinary user's.
as=(setpriv --reuid 1000 --regid 1000 --clear-groups env XDG_RUNTIME_DIR=/run/user/1000)
status_of "${as[@]}" cordon run --memory 64M -- true
equal "without a manager of its own a user's limits cannot be held" 125 "$status"
equal "in one line" 1 "$(grep -vc warning err)"
contains "that says what to do" "loginctl enable-linger" "$(cat err)"
systemctl start user@1000.service || fail "no manager for the user: $(systemctl status user@1000.service 2>&1)"
manager=--user
sandbox --memory 64M --pids 20 -- sleep 1000
contains "a user's scope, of the user's manager" "/user@1000.service/" "$folder"
equal "with its limits" "67108864 21" "$(cat "$folder/memory.max") $(cat "$folder/pids.max")"
equal "inside, it is the root" "0::/" "$("${as[@]}" cordon exec $name -- cat /proc/self/cgroup)"
"${as[@]}" cordon exec $name -- sleep 1000 &
wait_for "a further command" entered
equal "a further command is in it" "$(cut -d: -f3 "/proc/$pid/cgroup")" "$(cut -d: -f3 "/proc/$(entered)/cgroup")"
"${as[@]}" cordon update $name --memory 128M || fail "update by a user"
equal "and changes" 134217728 "$(cat "$folder/memory.max")"
"${as[@]}" cordon pause $name || fail "pause by a user"
"${as[@]}" cordon resume $name || fail "resume by a user"
over
status_of "${as[@]}" cordon run --memory 32M --volume /vm/cgroups_systemd:/mnt:ro -- /mnt/memory_hog 96
equal "too much memory of a user" 137 "$status"
contains "is called so, too" "for want of memory, under a limit of 32M" "$(cat err)"
sandbox -- sleep 1000
"${as[@]}" cordon update $name --pids 33 || fail "update of a user's sandbox without a cgroup"
equal "a limit comes to a user's sandbox without" 34 "$(cat "/sys/fs/cgroup$(cut -d: -f3 "/proc/$pid/cgroup")/pids.max")"
folder=/sys/fs/cgroup$(cut -d: -f3 "/proc/$pid/cgroup")
over

# 3. Nobody's: a folder below cordon's own, or where that cannot be, above.
as=()
status_of cordon run --cgroup-manager cgroupfs --pids 20 -- cat /proc/self/cgroup
equal "without systemd" "0 0::/" "$status $(cat out)$(grep -v warning err)"
echo "ok: $checks checks"
echo "checked: ok"
