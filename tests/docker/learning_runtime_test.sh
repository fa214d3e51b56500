#!/bin/bash
# learning_runtime_test.sh BUILD_DIR nginx|redis|postgres|python: learns a server in a container by the runtime cordon-learn alone, under load, with Docker's
# own seccomp profile in force; generates a profile, and holds the same container to it under runc, and to the whole bundle under cordon-runtime.
# The probes are refused there, and work in the control, which has the same capabilities and no profile.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
# shellcheck source=tests/testing/servers.sh
source "$here/../testing/servers.sh"
# shellcheck source=tests/testing/more_servers.sh
source "$here/../testing/more_servers.sh"
# shellcheck source=tests/docker/engine.sh
source "$here/engine.sh"
name=$2
need_root
need_programs /usr/bin/python3 /usr/sbin/dockerd /usr/bin/docker runc
user=() volumes=()
case $name in
  nginx) need_programs /usr/sbin/nginx wrk ;;
  redis) need_programs redis-server redis-cli redis-benchmark ;;
  postgres)
    [[ -n $postgres_bin ]] || skip "postgres is not installed"
    user=(--user "$(id -u postgres):$(id -g postgres)")
    volumes=(--volume /usr:/usr:ro)
    ;;
  python)
    need_programs wrk
    volumes=(--volume /usr:/usr:ro)
    ;;
esac

recordings=$work/recordings
# shellcheck disable=SC2034  # for start_engine
engine_config='{ "runtimes": {
  "cordon-learn": { "path": "'$build'/bin/cordon-learn", "runtimeArgs": ["--cordon-learn", "'$recordings'"] },
  "held": { "path": "'$build'/bin/cordon-runtime", "runtimeArgs":
    ["--cordon-policy", "'$work/$name'.bundle", "--cordon-violations", "'$work'/violations"] },
  "cordon": { "path": "'$build'/bin/cordon-runtime" } } }'
start_engine

port=$(free_port)
folder=$work/server
"${name}_files" "$folder" "$port"
"${name}_command" "$folder"
make_image box "${command[0]}" /usr/bin/id /bin/sleep

# begin NAME OPTION… -- COMMAND…
begin() {
  local container=$1 options=()
  shift
  while [[ $1 != -- ]]; do
    options+=("$1")
    shift
  done
  shift
  rm -f "$folder"/{logs,data}/*.pid
  "${docker[@]}" run --detach --name "$container" --network host --volume "$folder:$folder" "${user[@]}" "${volumes[@]}" "${options[@]}" box "$@" >/dev/null
}
# end NAME: in good order. Its PID file has the number that it has in the container.
end() {
  "${docker[@]}" stop -t 20 "$1" >/dev/null
  "${docker[@]}" wait "$1" >/dev/null
}
# says EXPRESSION: of the recording, r; what it yields, one a line.
says() {
  /usr/bin/python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))
for value in eval(sys.argv[2]):
    print(value)' "$recordings/learned.recording.json" "$1"
}

begin learned --runtime cordon-learn -- "${command[@]}"
wait_for "$name answers while it is learned" 60 "${name}_works" "$port"
pid=$("${docker[@]}" inspect -f '{{.State.Pid}}' learned)
tracer=$(sed -n 's/^TracerPid:[[:space:]]*//p' "/proc/$pid/status")
expect_equal "its tracer stayed behind" cordon-tracer "$(cat "/proc/$tracer/comm")"
"${name}_load" "$port" || die "$name does not serve while it is learned: $("${docker[@]}" logs learned 2>&1 | tail -5)"
ok "$name serves under load while it is learned"
expect_equal "exec is let in and learned" "uid=0(root)" "$("${docker[@]}" exec -u 0 learned /usr/bin/id | cut -d' ' -f1)"
expect_contains "Docker's profile is in force" "unshare EPERM" "$("${docker[@]}" exec -u 0 learned /bin/syscall_probe unshare)"
expect_equal "its errno is the profile's" "clone3 ENOSYS" "$("${docker[@]}" exec -u 0 learned /bin/syscall_probe clone3)"
"${docker[@]}" pause learned >/dev/null
"${docker[@]}" unpause learned >/dev/null
"${name}_works" "$port" || die "$name does not work after a pause"
ok "pause and unpause leave it working"
end learned
expect_equal "it ends as by itself" 0 "$("${docker[@]}" inspect -f '{{.State.ExitCode}}' learned)"
[[ -s $recordings/learned.recording.json ]] || die "no recording was written: $(cat "$recordings/cordon-learn.log" 2>&1)"
ok "the recording has the container's name"
wait_for "the end of its tracer $tracer" 20 gone "$tracer"
ok "the tracer has ended"
"${docker[@]}" rm learned >/dev/null
expect_equal "nothing went wrong" "" "$(cat "$recordings/cordon-learn.log" 2>/dev/null)"
expect_contains "the first program is the container's" "${command[0]}" "$(says '[p["executable"] for p in r["processes"] if p["parent"] == ""]')"
expect_contains "exec's program is there" /usr/bin/id "$(says '[p["executable"] for p in r["processes"]]')"
expect_equal "a refused call has the errno of the profile" EPERM "$(says '[e for c in r["syscalls"] if c["name"] == "unshare" for e in c["results"]]')"
expect_equal "bind mounts say where they lie" "$folder" "$(says "[r['runs'][0]['binds']['$folder']]")"
expect_equal "paths are the container's" "" "$(says '[f["path"] for f in r["files"]]' | grep -F "$engine/" || true)"
expect_equal "calls of the runtime itself are not in it" "" "$(says '[c["name"] for c in r["syscalls"]]' | grep -x -e capset -e seccomp || true)"
expect_equal "the tier" fast "$(says '[r["runs"][0]["tier"]]')"

# Once more, for what was missed: the same file. Unconfined, and ended before its time.
begin learned --runtime cordon-learn --security-opt seccomp=unconfined -- "${command[@]}"
wait_for "$name answers" 60 "${name}_works" "$port"
"${docker[@]}" rm -f learned >/dev/null
expect_equal "a further run is merged" 2 "$(says '[len(r["runs"])]')"
# What never starts leaves nothing.
"${docker[@]}" run --rm --name broken --runtime cordon-learn box /nonexistent >/dev/null 2>&1 || true
[[ ! -e $recordings/broken.recording.json ]] || die "a container that never ran has a recording"
ok "a container that never ran has no recording"

"$cordon" generate "$recordings/learned.recording.json" --runtime runc --name "learned_$name" -o "$work/$name.policy" || die "generate failed"
profile=$work/$name.policy/seccomp.json
capabilities=(--cap-add SYS_ADMIN --cap-add SYS_PTRACE)
probes=(unshare mount=/mnt ptrace=1)
probe() { "${docker[@]}" exec -u 0 "$1" /bin/syscall_probe "${probes[@]}" | tr '\n' ' '; }
# What probed is in the recording too, refused; what is generated allows none of it.
begin held "${capabilities[@]}" --security-opt "seccomp=$profile" -- "${command[@]}"
wait_for "$name answers under its profile" 30 "${name}_works" "$port"
"${name}_load" "$port" || die "$name does not serve under its profile: $("${docker[@]}" logs held 2>&1 | tail -5)"
ok "$name serves under load with the generated profile, under runc"
expect_equal "the probes are refused" "unshare EPERM mount EPERM ptrace EPERM " "$(probe held)"
end held
"${docker[@]}" rm held >/dev/null

# The whole bundle, beside Docker's own profile, which allows all three to who has these capabilities.
"$cordon" generate "$recordings/learned.recording.json" --name "bound_$name" -o "$work/$name.bundle" || die "generate failed"
violations=$work/violations/bound.violations.jsonl
begin bound --runtime held "${capabilities[@]}" -- "${command[@]}"
wait_for "$name answers under its bundle" 30 "${name}_works" "$port"
"${name}_load" "$port" || die "$name does not serve under its bundle: $("${docker[@]}" logs bound 2>&1 | tail -5)"
ok "$name serves under load with the bundle, under cordon-runtime"
expect_equal "nothing that it does is refused" "" "$(cat "$violations")"
expect_equal "exec of what was learned works" "uid=0(root)" "$("${docker[@]}" exec -u 0 bound /usr/bin/id | cut -d' ' -f1)"
expect_equal "the probes are refused by the bundle" "unshare EPERM mount EPERM ptrace EPERM " "$(probe bound)"
for call in unshare mount ptrace; do
  expect_contains "and written down: $call" "\"call\":\"$call(" "$(<"$violations")"
done
expect_contains "a program that was not learned is not executed" "ermission denied" "$("${docker[@]}" exec -u 0 bound /bin/cat /etc/passwd 2>&1)"
bounding=$(sed -n 's/^CapBnd:[[:space:]]*//p' "/proc/$("${docker[@]}" inspect -f '{{.State.Pid}}' bound)/status")
((16#$bounding & 1 << 21)) && die "the bundle's container has CAP_SYS_ADMIN: $bounding"
ok "what Docker adds and the bundle has not is not there: CAP_SYS_ADMIN"
end bound
"${docker[@]}" rm bound >/dev/null
begin other --runtime cordon "${capabilities[@]}" -- "${command[@]}"
wait_for "$name answers under cordon-runtime without a bundle" 30 "${name}_works" "$port"
expect_equal "control: without the bundle they work, under Docker's profile" "unshare ok mount ok ptrace ok " "$(probe other)"
expect_contains "control: and the other program, too" root: "$("${docker[@]}" exec -u 0 other /bin/cat /etc/passwd 2>&1)"
bounding=$(sed -n 's/^CapBnd:[[:space:]]*//p' "/proc/$("${docker[@]}" inspect -f '{{.State.Pid}}' other)/status")
((16#$bounding & 1 << 21)) || die "the control has no CAP_SYS_ADMIN: $bounding"
"${docker[@]}" rm -f other >/dev/null
mv "$work/$name.bundle" "$work/$name.gone"
said=$("${docker[@]}" run --rm --runtime held box /bin/true 2>&1) && die "a container ran without its policy"
expect_contains "without the bundle no container is made, and Docker says why" "$name.bundle" "$said"

begin free "${capabilities[@]}" --security-opt seccomp=unconfined -- "${command[@]}"
wait_for "$name answers without a profile" 30 "${name}_works" "$port"
expect_equal "control: without the profile they work" "unshare ok mount ok ptrace ok " "$(probe free)"
"${docker[@]}" rm -f free >/dev/null
echo "ok: $checks checks"
