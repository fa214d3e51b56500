#!/bin/bash
# podman_test.sh BUILD_DIR runc|cordon-runtime [rootless]: what Podman does with a container as root, or for an ordinary user with ids of /etc/subuid, on one
# runtime. The checks are the same for both runtimes; a user who was given no cgroups has no limits, no pause and no stats.
here=$(dirname "${BASH_SOURCE[0]}")
whose=${3:-root}
if [[ $whose == rootless && $EUID == 0 && -z ${CORDON_OWN_MOUNTS:-} ]]; then
  # The ranges of ids are put over the host's own files.
  export CORDON_OWN_MOUNTS=1
  exec unshare --mount "$0" "$@"
fi
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
need_root
need_programs podman conmon runc /usr/bin/script

case $2 in
  runc) path=$(command -v runc) ;;
  *) path=$build/bin/$2 ;;
esac
# Everything below a folder of its own. Not all the limits that Podman asks for can be given by who has no CAP_SYS_RESOURCE.
export CONTAINERS_CONF=$work/containers.conf TMPDIR=$work
printf '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n' >"$CONTAINERS_CONF"
as=()
if [[ $whose == rootless ]]; then
  need_programs newuidmap newgidmap setpriv
  user=games
  echo "$user:3000000:65536" >"$work/subids"
  mount --bind "$work/subids" /etc/subuid
  mount --bind "$work/subids" /etc/subgid
  mkdir "$work/home" "$work/xdg"
  chmod 700 "$work/xdg"
  chown "$user" "$work" "$work/home" "$work/xdg"
  as=(setpriv --reuid "$user" --regid "$user" --clear-groups env -i "PATH=$PATH" "HOME=$work/home" "XDG_RUNTIME_DIR=$work/xdg" "TMPDIR=$work"
    "CONTAINERS_CONF=$CONTAINERS_CONF")
  cd "$work"
fi
podman=("${as[@]}" podman --root "$work/storage" --runroot "$work/run" --tmpdir "$work/tmp" --storage-driver vfs --events-backend file
  --cgroup-manager cgroupfs --runtime "$path")
has_cgroups() { [[ $whose == root ]]; }
stop_podman() {
  "${podman[@]}" rm --force --all --time 0 >/dev/null 2>&1
  local mount pid
  # An ordinary user's Podman leaves a process that keeps its user namespace, and what cleans up after conmon may make it anew.
  if [[ $whose == rootless ]]; then
    while pid=$(grep -lsF "XDG_RUNTIME_DIR=$work/" /proc/[0-9]*/environ | head -1 | cut -d/ -f3) && [[ -n $pid ]]; do
      stop_pid "$pid"
    done
  fi
  while read -r mount; do
    umount -l "$mount" 2>/dev/null
  done < <(awk -v top="$work/" 'index($5, top) == 1 { print $5 }' /proc/self/mountinfo | sort -r)
}
at_end stop_podman

tree=$work/tree
mkdir -p "$tree"/{etc,tmp,proc,sys,dev,run,bin,lib64,mnt}
cp /etc/{passwd,group} "$tree/etc/"
for program in /bin/dash /bin/cat /bin/sleep /bin/ls /bin/touch /usr/bin/id /usr/bin/tty /usr/bin/unshare; do
  install -D "$program" "$tree$program"
  while read -r library; do
    [[ -e $tree$library ]] || install -D "$library" "$tree$library"
  done < <(ldd "$program" | grep -o '/[^ ]*')
done
ln -sf dash "$tree/bin/sh"
tar -C "$tree" -c . | "${podman[@]}" import - box >/dev/null 2>&1

# run OPTION… -- COMMAND…: its output and, in $status, what it exited with.
run() {
  local options=()
  while [[ $1 != -- ]]; do
    options+=("$1")
    shift
  done
  shift
  status=0
  output=$("${podman[@]}" run --rm --network none "${options[@]}" box "$@" 2>&1 </dev/null) || status=$?
  output=${output//$'\r'/}
}
# expect_run WHAT WANTED OPTION… -- COMMAND…
expect_run() {
  local what=$1 wanted=$2
  shift 2
  run "$@"
  expect_equal "$what" "0 $wanted" "$status ${output##*$'\n'}"
}
# field NAME: a script that shows this line of its own status.
field() { echo "while read -r k v; do case \$k in $1:) echo \$v ;; esac; done </proc/self/status"; }

expect_run "a command says something" hello -- /bin/sh -c 'echo hello'
run -- /bin/sh -c 'exit 7'
expect_equal "its exit status is the command's" 7 "$status"
run -- /nonexistent
expect_equal "a command that is not there is 127" 127 "$status"
run -- /etc/passwd
expect_equal "one that may not be executed is 126" 126 "$status"
expect_run "the first process is PID 1" 1 -- /bin/sh -c 'echo $$'
# shellcheck disable=SC2016  # the container's
expect_run "--user" "1000 1001" --user 1000:1001 -- /bin/sh -c 'echo $(/usr/bin/id -u) $(/usr/bin/id -g)'
expect_run "--cap-drop all" 0000000000000000 --cap-drop all -- /bin/sh -c "$(field CapBnd)"
run --read-only -- /bin/touch /file
expect_contains "--read-only" "Read-only file system" "$output"
run -- /bin/touch /file
expect_equal "control: without it, it can be written" 0 "$status"
expect_run "--tmpfs" "" --read-only --tmpfs /scratch -- /bin/touch /scratch/a
mkdir "$work/volume"
[[ $whose == root ]] || chown "$user" "$work/volume"
expect_run "-v" "" --volume "$work/volume:/v" -- /bin/touch /v/new
[[ -e $work/volume/new ]] || die "the file is not on the host"
if [[ $whose == rootless ]]; then
  expect_equal "root of the container is the user" "$user" "$(stat -c %U "$work/volume/new")"
  # shellcheck disable=SC2016  # the container's
  expect_run "its ids are the user's and its ranges'" "0 $(id -u "$user") 1 1 3000000 65536" -- /bin/sh -c 'echo $(/bin/cat /proc/self/uid_map)'
fi
if has_cgroups; then
  expect_run "--memory" 67108864 --memory 64m -- /bin/cat /sys/fs/cgroup/memory/memory.limit_in_bytes
  expect_run "--pids-limit" 33 --pids-limit 33 -- /bin/cat /sys/fs/cgroup/pids/pids.max
fi
expect_run "a filter is loaded" 2 -- /bin/sh -c "$(field Seccomp)"
echo '{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [ { "names": ["unshare"], "action": "SCMP_ACT_ERRNO" } ] }' >"$work/profile.json"
run --security-opt "seccomp=$work/profile.json" -- /usr/bin/unshare -U /bin/sh -c :
expect_contains "--security-opt seccomp" "Operation not permitted" "$output"
run -- /usr/bin/unshare -U /bin/sh -c :
expect_equal "control: Podman's own profile allows that" 0 "$status"
expect_run "--hostname" box1 --hostname box1 -- /bin/cat /proc/sys/kernel/hostname
expect_contains "-t has a terminal" /dev/pts/0 "$(script -qec "${podman[*]} run --rm --network none -t box /usr/bin/tty" /dev/null)"

"${podman[@]}" run --detach --name stays --network none --health-cmd '/bin/cat /etc/passwd' --health-interval disable box \
  /bin/sh -c 'trap "echo got TERM; exit 3" TERM; trap "echo got USR1" USR1; echo ready; while :; do /bin/sleep 0.1; done' >/dev/null
logs() { "${podman[@]}" logs stays 2>&1; }
says() { [[ $(logs) == *"$1"* ]]; }
state() { "${podman[@]}" inspect -f "{{.State.$1}}" stays; }
wait_for "conmon has logged what it says" 20 says ready
ok "conmon has logged what it says"
expect_contains "conmon knows its pid" /bin/sh "$(tr '\0' ' ' <"/proc/$(state Pid)/cmdline")"
# shellcheck disable=SC2016  # the container's
expect_equal "exec -u -w -e" "5 /tmp x" "$("${podman[@]}" exec -u 5 -w /tmp -e A=x stays /bin/sh -c 'echo $(/usr/bin/id -u) $PWD $A')"
status=0
"${podman[@]}" exec stays /bin/sh -c 'exit 9' || status=$?
expect_equal "exec exits as its command" 9 "$status"
expect_contains "exec -t" /dev/pts/ "$(script -qec "${podman[*]} exec -t stays /usr/bin/tty" /dev/null)"
"${podman[@]}" healthcheck run stays >/dev/null || die "the health check failed"
ok "health checks"
expect_contains "top" /bin/sh "$("${podman[@]}" top stays args)"
if has_cgroups; then
  "${podman[@]}" pause stays >/dev/null
  expect_equal "pause" paused "$(state Status)"
  "${podman[@]}" unpause stays >/dev/null
  expect_equal "unpause" running "$(state Status)"
  expect_contains "stats" 'B / ' "$("${podman[@]}" stats --no-stream --format '{{.MemUsage}}' stays)"
fi
"${podman[@]}" kill -s USR1 stays >/dev/null
wait_for "the signal arrives" 20 says "got USR1"
ok "kill -s USR1"
"${podman[@]}" stop -t 10 stays >/dev/null
expect_equal "stop asks first: the command's own exit status" 3 "$(state ExitCode)"
"${podman[@]}" start stays >/dev/null
expect_equal "start again" running "$(state Status)"
"${podman[@]}" kill stays >/dev/null
"${podman[@]}" wait stays >/dev/null
expect_equal "kill" 137 "$(state ExitCode)"
"${podman[@]}" rm stays >/dev/null
echo "ok: $checks checks"
