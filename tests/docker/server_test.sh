#!/bin/bash
# server_test.sh BUILD_DIR nginx|redis: learns the server under load on the host, generates a profile for runc, and holds the same server to
# it in a Docker container: it serves under load; unshare, mount and ptrace in the same container fail with EPERM, clone3 with ENOSYS.
# The control: with the same capabilities and seccomp=unconfined each of them works.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
# shellcheck source=tests/testing/servers.sh
source "$here/../testing/servers.sh"
# shellcheck source=tests/docker/engine.sh
source "$here/engine.sh"
name=$2
need_root
need_programs /usr/sbin/dockerd /usr/bin/docker runc /usr/sbin/nginx redis-server redis-cli redis-benchmark wrk

port=$(free_port)
folder=$work/server
"${name}_files" "$folder" "$port"
"${name}_command" "$folder"

# Learn.
start_server "$work/learn.log" "$cordon" profile -o "$work/$name.recording.json" -- "${command[@]}"
wait_for "$name under cordon profile answers" 30 "${name}_works" "$port"
"${name}_load" "$port" || die "$name does not serve under cordon profile: $(cat "$work/learn.log")"
"${name}_stop" "$folder" "$port"
wait_for "the end of cordon profile" 30 gone "$server"
[[ -s $work/$name.recording.json ]] || die "no recording was written: $(cat "$work/learn.log")"
ok "$name was learned under load"

# Generate.
"$cordon" generate "$work/$name.recording.json" --runtime runc --name "learned_$name" -o "$work/$name.policy" ||
  die "generate failed"
profile=$work/$name.policy/seccomp.json
[[ -s $profile ]] || die "generate wrote no seccomp.json"

start_engine
make_image "cordon-$name" "${command[0]}"
ok "Debian's dockerd runs and has the image"

capabilities=(--cap-add SYS_ADMIN --cap-add SYS_PTRACE)
# in_docker NAME SECCOMP COMMAND…: a container in the host's network, with the server's folder.
in_docker() {
  local container=$1 seccomp=$2
  shift 2
  "${docker[@]}" run --detach --name "$container" --network host "${capabilities[@]}" \
    --security-opt "seccomp=$seccomp" --volume "$folder:$folder" "cordon-$name" "$@" >/dev/null
}

probes=(unshare mount=/mnt ptrace=1 clone3)
# probe CONTAINER: what each attempt got, in one line.
probe() { "${docker[@]}" exec "$1" /bin/syscall_probe "${probes[@]}" | tr '\n' ' '; }
# tool CONTAINER COMMAND…: "ok" or what it said.
tool() {
  local said
  if said=$("${docker[@]}" exec "$@" 2>&1); then echo ok; else echo "$said"; fi
}

# The server under its profile.
rm -f "$folder"/{logs,data}/*.pid
in_docker held "$profile" "${command[@]}"
wait_for "$name in Docker answers" 30 "${name}_works" "$port"
"${name}_load" "$port" || die "$name does not serve under load in Docker: $("${docker[@]}" logs held 2>&1 | tail -5)"
"${name}_works" "$port" || die "$name does not work in Docker"
ok "$name serves under load in Docker with the generated profile"
mode=$(sed -n 's/^Seccomp:[[:space:]]*//p' "/proc/$("${docker[@]}" inspect -f '{{.State.Pid}}' held)/status")
expect_equal "the kernel says that a filter is in force" 2 "$mode"

got=$(probe held)
clone3=$(grep -q '"clone3"' "$work/$name.recording.json" && echo seen || echo unseen)
expect_contains "unshare is refused" "unshare EPERM" "$got"
expect_contains "mount is refused" "mount EPERM" "$got"
expect_contains "ptrace is refused" "ptrace EPERM" "$got"
[[ $clone3 == seen ]] || expect_contains "clone3 is not there" "clone3 ENOSYS" "$got"
expect_contains "unshare -r true is refused" "Operation not permitted" "$(tool held /usr/bin/unshare -r /bin/true)"
said=$(tool held /bin/mount -t tmpfs none /mnt)
[[ $said == *"permission denied"* || $said == *"must be superuser"* ]] || die "mount -t tmpfs is not refused: $said"
ok "mount -t tmpfs is refused"
"${docker[@]}" rm -f held >/dev/null

# The control.
in_docker free unconfined "${command[@]}"
wait_for "$name in Docker without a profile answers" 30 "${name}_works" "$port"
expect_equal "control: without the profile all four work" "unshare ok mount ok ptrace ok clone3 ok " "$(probe free)"
expect_equal "control: unshare -r true" ok "$(tool free /usr/bin/unshare -r /bin/true)"
expect_equal "control: mount -t tmpfs" ok "$(tool free /bin/mount -t tmpfs none /mnt)"
"${docker[@]}" rm -f free >/dev/null
echo "ok: $checks checks"
