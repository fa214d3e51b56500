#!/bin/bash
# oci_runtime_test.sh BUILD_DIR runc|cordon-runtime: what Docker does with a container, on one runtime. The checks are the same for both, so
# that what holds with runc is seen to hold with cordon-runtime.
# shellcheck disable=SC2016  # variables in single quotes are for the container's shell
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
# shellcheck source=tests/docker/engine.sh
source "$here/engine.sh"
runtime=$2
need_root
need_programs /usr/sbin/dockerd /usr/bin/docker runc /usr/bin/script

case $runtime in
  runc) path=$(command -v runc) ;;
  *) path=$build/bin/$runtime ;;
esac
# shellcheck disable=SC2034  # for start_engine
engine_arguments=(--add-runtime "tested=$path")
start_engine
make_image box /usr/bin/id /usr/bin/env /bin/sleep /bin/ls /usr/bin/stat /bin/hostname /usr/bin/tty /usr/bin/stty /bin/touch /usr/bin/nproc
folders_before=$(find /sys/fs/cgroup -type d -path "*/$(basename "$work")/*" | wc -l)

# run OPTION… -- COMMAND…: its output and, in $status, what it exited with.
run() {
  local options=()
  while [[ $1 != -- ]]; do
    options+=("$1")
    shift
  done
  shift
  [[ ${options[*]} == *--network* ]] || options+=(--network none)
  status=0
  output=$("${docker[@]}" run --rm --runtime tested "${options[@]}" box "$@" 2>&1) || status=$?
  output=${output//$'\r'/}
}
# expect_run WHAT WANTED OPTION… -- COMMAND…
expect_run() {
  local what=$1 wanted=$2
  shift 2
  run "$@"
  # Docker may have warned before.
  expect_equal "$what" "0 $wanted" "$status ${output##*$'\n'}"
}

expect_run "a command says something" hello -- /bin/sh -c 'echo hello'
run -- /bin/sh -c 'exit 7'
expect_equal "its exit status is the command's" 7 "$status"
run -- /nonexistent
expect_equal "a command that is not there is 127" 127 "$status"
run -- nonexistent
expect_equal "one that is not in PATH is 127" 127 "$status"
run -- /etc/passwd
expect_equal "one that may not be executed is 126" 126 "$status"
expect_run "the first process is PID 1" 1 -- /bin/sh -c 'echo $$'
expect_run "the host name is the container's" box1 --hostname box1 -- /bin/hostname
expect_run "HOME is from the image" /root -- /bin/sh -c 'echo $HOME'
expect_run "variables are set" "a b" --env 'A=a b' -- /bin/sh -c 'echo "$A"'
expect_run "the working folder is made" /deep/er --workdir /deep/er -- /bin/sh -c 'pwd'
expect_run "nothing is open but the standard streams" "0 1 2 3" -- /bin/sh -c 'set -- $(/bin/ls /proc/self/fd); echo $*'

expect_run "--user: ids and no capability" "1000:1001: 0000000000000000" --user 1000:1001 -- /bin/sh -c \
  'while read -r k v; do case $k in CapEff:) c=$v ;; esac; done </proc/self/status; echo "$(/usr/bin/id -u):$(/usr/bin/id -g): $c"'
expect_run "--group-add" "0 7" --group-add 7 -- /usr/bin/id -G
expect_run "--cap-drop all" "0000000000000000" --cap-drop all -- /bin/sh -c \
  'while read -r k v; do case $k in CapBnd:) echo $v ;; esac; done </proc/self/status'
expect_run "no capability is inheritable or ambient" "0000000000000000 0000000000000000" -- /bin/sh -c \
  'while read -r k v; do case $k in CapInh:) i=$v ;; CapAmb:) a=$v ;; esac; done </proc/self/status; echo $i $a'
expect_run "Docker's own capabilities" 00000000a80425fb -- /bin/sh -c \
  'while read -r k v; do case $k in CapEff:) echo $v ;; esac; done </proc/self/status'

run --read-only -- /bin/touch /file
expect_contains "--read-only: the root cannot be written" "Read-only file system" "$output"
run -- /bin/touch /file
expect_equal "control: without it, it can" 0 "$status"
expect_run "--tmpfs can be written" "tmpfs 41777" --read-only --tmpfs /scratch -- /bin/sh -c \
  '/bin/touch /scratch/a && echo "$(/usr/bin/stat -f -c %T /scratch) $(printf %o 0x$(/usr/bin/stat -c %f /scratch))"'
mkdir "$work/volume"
echo content >"$work/volume/file"
expect_run "-v: a folder of the host" content --volume "$work/volume:/v" -- /bin/cat /v/file
run --volume "$work/volume:/v:ro" -- /bin/touch /v/new
expect_contains "-v :ro cannot be written" "Read-only file system" "$output"
expect_run "-v can, and it is the host's" "" --volume "$work/volume:/v" -- /bin/touch /v/new
[[ -e $work/volume/new ]] || die "the file is not on the host"

expect_run "masked: /proc/keys is the null device" "1:3" -- /usr/bin/stat -c %t:%T /proc/keys
run -- /bin/sh -c 'echo 1 >/proc/sys/kernel/core_pattern'
expect_contains "/proc/sys is read-only" "Read-only file system" "$output"
expect_run "--sysctl of its own namespace" 1 --sysctl net.ipv4.ip_forward=1 -- /bin/cat /proc/sys/net/ipv4/ip_forward
run --sysctl kernel.core_pattern=x -- /bin/true
[[ $status != 0 ]] || die "a setting of the host's was taken"
ok "--sysctl of the host is refused"
expect_run "--ulimit" 100 --ulimit nofile=100:200 -- /bin/sh -c 'ulimit -n'
expect_run "--ulimit of another user's process" "100 5" --ulimit nofile=100:200 --user 5 -- /bin/sh -c 'echo $(ulimit -n) $(/usr/bin/id -u)'
expect_run "--memory is in its cgroup" 67108864 --memory 64m -- /bin/cat /sys/fs/cgroup/memory/memory.limit_in_bytes
expect_run "--pids-limit" 33 --pids-limit 33 -- /bin/cat /sys/fs/cgroup/pids/pids.max
expect_run "--cpus" 50000 --cpus 0.5 -- /bin/cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us
expect_run "--oom-score-adj" 500 --oom-score-adj 500 -- /bin/cat /proc/self/oom_score_adj
run -- /bin/sh -c '/usr/bin/unshare -U /bin/true'
expect_contains "Docker's seccomp profile is in force" "Operation not permitted" "$output"
run --security-opt seccomp=unconfined --cap-add SYS_ADMIN -- /usr/bin/unshare -m /bin/true
expect_equal "control: without it unshare works" 0 "$status"
expect_run "no-new-privileges" 1 --security-opt no-new-privileges -- /bin/sh -c \
  'while read -r k v; do case $k in NoNewPrivs:) echo $v ;; esac; done </proc/self/status'
expect_run "a filter is loaded" 2 -- /bin/sh -c 'while read -r k v; do case $k in Seccomp:) echo $v ;; esac; done </proc/self/status'
expect_run "--init is the first process" docker-init --init -- /bin/sh -c 'read -r n </proc/1/comm; echo $n'
expect_run "--network none has loopback only" lo -- /bin/ls /sys/class/net
own=$(readlink /proc/self/ns/net)
expect_run "--network host" "$own" --network host -- /bin/sh -c '/bin/ls -l /proc/self/ns/net | { read -r a b c d e f g h i j k; echo $k; }'
expect_run "--uts, --ipc and --pid of the host" "$(readlink /proc/self/ns/pid)" --uts host --ipc host --pid host -- /bin/sh -c \
  '/bin/ls -l /proc/self/ns/pid | { read -r a b c d e f g h i j k; echo $k; }'
expect_run "-t: a terminal of its own" "/dev/pts/0 /dev/console 136:0" --tty -- /bin/sh -c \
  'echo $(/usr/bin/tty) /dev/console $(printf %d 0x$(/usr/bin/stat -c %t /dev/console)):$(/usr/bin/stat -c %T /dev/console)'

# A container that stays.
"${docker[@]}" run --detach --name stays --runtime tested --network none --health-cmd '/bin/true' --health-interval 1s box \
  /bin/sh -c 'trap "echo got TERM; exit 3" TERM; trap "echo got USR1" USR1; echo ready; while :; do /bin/sleep 0.1; done' >/dev/null
logs() { "${docker[@]}" logs stays 2>&1; }
says() { [[ $(logs) == *"$1"* ]]; }
state() { "${docker[@]}" inspect -f "{{.State.$1}}" stays; }
wait_for "the container runs" 20 says ready
pid=$(state Pid)
expect_contains "the pid is the host's of its first process" /bin/sh "$(tr '\0' ' ' <"/proc/$pid/cmdline")"
expect_equal "exec" "exec 1" "$("${docker[@]}" exec stays /bin/sh -c 'read -r n </proc/1/comm; [ $n = sh ] && echo exec 1')"
status=0
"${docker[@]}" exec stays /bin/sh -c 'exit 9' || status=$?
expect_equal "exec exits as its command" 9 "$status"
expect_equal "exec -u -w -e" "5 /tmp x" "$("${docker[@]}" exec -u 5 -w /tmp -e A=x stays /bin/sh -c 'echo $(/usr/bin/id -u) $PWD $A')"
expect_contains "exec -t has a terminal" /dev/pts/ "$(script -qec "${docker[*]} exec -t stays /usr/bin/tty" /dev/null)"
expect_equal "exec is under the filter too" 2 "$("${docker[@]}" exec stays /bin/sh -c 'while read -r k v; do case $k in Seccomp:) echo $v ;; esac; done </proc/self/status')"
expect_equal "exec is in the container's cgroup" yes "$("${docker[@]}" exec stays /bin/sh -c '[ "$(/bin/cat /proc/1/cgroup)" = "$(/bin/cat /proc/self/cgroup)" ] && echo yes')"
status=0
"${docker[@]}" exec stays nonexistent >/dev/null 2>&1 || status=$?
expect_equal "exec of what is not there" 126 "$status"
expect_contains "top names it" /bin/sh "$("${docker[@]}" top stays)"
"${docker[@]}" pause stays >/dev/null
expect_equal "pause" paused "$(state Status)"
"${docker[@]}" unpause stays >/dev/null
expect_equal "unpause" running "$(state Status)"
"${docker[@]}" update --memory 48m --memory-swap 48m --pids-limit 44 stays >/dev/null
expect_equal "update" "50331648 44" "$("${docker[@]}" exec stays /bin/cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max | tr '\n' ' ' | sed 's/ $//')"
expect_contains "stats" MiB "$("${docker[@]}" stats --no-stream --format '{{.MemUsage}}' stays)"
"${docker[@]}" kill -s USR1 stays >/dev/null
wait_for "the signal arrives" 20 says "got USR1"
ok "kill -s USR1"
healthy() { [[ $("${docker[@]}" inspect -f '{{.State.Health.Status}}' stays) == healthy ]]; }
wait_for "health checks run" 30 healthy
ok "health checks"
"${docker[@]}" restart -t 10 stays >/dev/null
expect_equal "restart" running "$(state Status)"
"${docker[@]}" stop -t 10 stays >/dev/null
expect_equal "stop asks first: the command's own exit status" 3 "$(state ExitCode)"
expect_contains "logs" "got TERM" "$(logs)"
"${docker[@]}" start stays >/dev/null
"${docker[@]}" kill stays >/dev/null
expect_equal "kill" 137 "$(state ExitCode)"
"${docker[@]}" rm stays >/dev/null

# Containers share namespaces by path.
"${docker[@]}" run --detach --name first --runtime tested --network none --ipc shareable box /bin/sleep 1000 >/dev/null
first=$("${docker[@]}" inspect -f '{{.State.Pid}}' first)
expect_run "--network container:" "$(readlink "/proc/$first/ns/net")" --network container:first -- /bin/sh -c \
  '/bin/ls -l /proc/self/ns/net | { read -r a b c d e f g h i j k; echo $k; }'
expect_run "--pid container:" sleep --pid container:first --ipc container:first -- /bin/sh -c 'read -r n </proc/1/comm; echo $n'
"${docker[@]}" rm -f first >/dev/null

# None of it is left.
left() { find /sys/fs/cgroup -type d -path "*/$(basename "$work")/*" | wc -l; }
expect_equal "no cgroup is left" "$folders_before" "$(left)"
expect_equal "no state is left" "" "$(find "$engine/exec/runtime-tested" -mindepth 2 -maxdepth 2 ! -name '.*' 2>/dev/null)"
echo "ok: $checks checks"
