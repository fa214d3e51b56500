#!/bin/bash
# namespaces_test.sh BUILD_DIR: each namespace of a sandbox, seen from inside and from outside: as root, as root with --userns, and as an
# ordinary user; what a command of exec sees; what --ipc host and --time-offset change.
if ((EUID == 0)) && [[ -z ${CORDON_OWN_MOUNTS:-} ]]; then
  CORDON_OWN_MOUNTS=yes exec unshare --mount --propagation private bash "$0" "$@"
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
need_root
need_programs setpriv ipcmk ipcs ipcrm
cordon=${cordon:?} work=${work:?}
install -d -m 700 /run/cordon
mount -t tmpfs -o mode=700 cordon /run/cordon
install -d -o 65534 -g 65534 -m 700 "$work/runtime"
ordinary=(setpriv --reuid 65534 --regid 65534 --clear-groups env "XDG_RUNTIME_DIR=$work/runtime")
every=(user pid mnt uts ipc cgroup net time)

pid_of() { "${caller[@]}" "$cordon" inspect "$name" --field pid 2>/dev/null; }
begun() { [[ $(pid_of) -gt 0 ]]; }
inside() { "${caller[@]}" "$cordon" exec "$name" -- "$@"; }
# sandbox OPTIONS…: a sleeping one; its name in $name, its process as the host numbers it in $pid.
sandbox() {
  name=ns-$RANDOM$RANDOM
  start_server "$work/$name" "${caller[@]}" "$cordon" run --name "$name" "$@" -- sleep 1000
  wait_for "the sandbox: $(<"$work/$name")" 20 begun
  pid=$(pid_of)
}
over() {
  stop_pid "$server" KILL
}
status_line() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }

# expect_namespaces SHARED…: all but these are the sandbox's own.
expect_namespaces() {
  local kind outside own within
  for kind in "${every[@]}"; do
    outside=$(readlink "/proc/$pid/ns/$kind") own=$(readlink "/proc/self/ns/$kind") within=$(inside readlink "/proc/self/ns/$kind")
    [[ $outside == "$within" || $kind == cgroup ]] || die "$kind: $outside from outside, $within from inside, for a command of exec"
    if [[ " $* " == *" $kind "* ]]; then
      [[ $outside == "$own" ]] || die "$kind: wanted the host's, got $outside"
    else
      [[ $outside != "$own" && $within != "$own" ]] || die "$kind is the host's"
      if [[ $kind != cgroup ]]; then
        [[ $("${caller[@]}" "$cordon" inspect "$name" --field "namespaces.$kind") == "$outside" ]] || die "inspect says another $kind"
      fi
    fi
  done
  ok "$what: namespaces of its own, but: ${*:-none}"
}

queue=$(ipcmk -Q | sed 's/.*: //') memory=$(ipcmk -M 4096 | sed 's/.*: //') semaphores=$(ipcmk -S 1 | sed 's/.*: //')
at_end ipcrm -q "$queue" -m "$memory" -s "$semaphores"
mkdir "$work/mqueue"
mount -t mqueue mqueue "$work/mqueue"
at_end umount "$work/mqueue"
touch "$work/mqueue/cordon-test-$$"
at_end rm "$work/mqueue/cordon-test-$$"
# what the sandbox sees of the host's: System V queue, memory, semaphores; POSIX queue
shared_with_host() { inside sh -c "ipcs -q -i $queue; ipcs -m -i $memory; ipcs -s -i $semaphores; ls /dev/mqueue" 2>&1; }

touch "/dev/shm/cordon-test-$$"
at_end rm -f "/dev/shm/cordon-test-$$"
mkdir "$work/late"
host_name=$(hostname)
for what in root userns ordinary; do
  caller=(env) options=()
  [[ $what != ordinary ]] || caller=("${ordinary[@]}")
  [[ $what != userns ]] || options=(--userns)
  sandbox "${options[@]}" --hostname inside --time-offset boottime=864000
  if [[ $what == root ]]; then expect_namespaces user; else expect_namespaces; fi

  expect_equal "$what: root inside" 0 "$(inside id -u)"
  uid=0
  [[ $what != ordinary ]] || uid=65534
  expect_equal "$what: outside, user $uid" "$uid" "$(status_line "$pid" Uid | cut -f1)"
  if [[ $what == ordinary ]]; then
    expect_equal "$what: one user is mapped" "0 65534 1" "$(xargs <"/proc/$pid/uid_map")"
  fi
  expect_equal "$what: the second process inside" "$pid 2" "$(status_line "$pid" NSpid | xargs)"
  expect_equal "$what: its host name" inside "$(inside hostname)"
  expect_equal "$what: not the host's" "$host_name" "$(hostname)"
  expect_equal "$what: loopback alone" "lo" "$(inside sh -c 'ls /sys/class/net' | xargs)"
  expect_missing "$what: its /proc shows its own processes only" "$$" "$(inside sh -c 'echo /proc/[0-9]*' | tr / ' ')"
  before=$(cut -d. -f1 /proc/uptime) within=$(inside cut -d. -f1 /proc/uptime) after=$(cut -d. -f1 /proc/uptime)
  ((within >= before + 864000 - 1 && within <= after + 864000 + 1)) ||
    die "$what: its clock says $within between $before and $after of the host's"
  ok "$what: its boot time is ten days earlier"
  seen=$(shared_with_host)
  for object in "id $queue not found" "id $memory not found" "id $semaphores not found"; do
    expect_contains "$what: System V: $object" "$object" "$seen"
  done
  expect_missing "$what: POSIX queues are its own" "cordon-test" "$seen"
  expect_missing "$what: POSIX shared memory is its own" "cordon-test" "$(inside ls /dev/shm)"

  # Mounts: neither side sees what the other mounts or puts into a file system of its own.
  mount -t tmpfs late "$work/late"
  touch "$work/late/of-the-host"
  expect_equal "$what: what the host mounts later is not seen" "" "$(inside ls "$work/late")"
  umount "$work/late"
  inside touch "/tmp/cordon-inside-$$"
  [[ ! -e /tmp/cordon-inside-$$ ]] || die "$what: /tmp is the host's"
  expect_equal "$what: from outside, its /tmp is another file system" "tmpfs /tmp" \
    "$(sed -n 's|.* \(/tmp\) .* - \([a-z]*\) .*|\2 \1|p' "/proc/$pid/mountinfo" | tail -1)"
  expect_equal "$what: from outside, its root is read-only" ro "$(sed -n 's|^[^ ]* [^ ]* [^ ]* [^ ]* / \(r[ow]\),.*|\1|p' "/proc/$pid/mountinfo")"
  over
done

caller=(env)
status=0
"$cordon" run --ipc host -- true 2>"$work/refused" || status=$?
expect_equal "--ipc host is refused" 2 $status
expect_contains "and the way is named" "--allow-degraded ipc" "$(<"$work/refused")"
what="--ipc host"
sandbox --ipc host --allow-degraded ipc
expect_namespaces user ipc time
seen=$(shared_with_host)
expect_missing "control: the host's queues are seen" "not found" "$seen"
expect_contains "the POSIX ones too" "cordon-test-$$" "$seen"
[[ -e /dev/shm/cordon-test-$$ ]] || die "control: the host's shared memory is not seen by the host"
over

status=0
"$cordon" run --time-offset boottime=-999999999 -- true 2>"$work/early" || status=$?
expect_equal "a clock before zero cannot be made: exit 125" 125 $status
expect_contains "and it is said" "setting the offsets of the clocks" "$(<"$work/early")"

what=cgroup
sandbox --pids 50
expect_contains "outside, its cgroup" "/cordon-" "$(grep pids "/proc/$pid/cgroup")"
expect_equal "inside, the root of them" "/" "$(inside sh -c 'grep pids /proc/self/cgroup | cut -d: -f3')"
over
echo "ok: $checks checks"
