#!/bin/bash
# held_test.sh BUILD_DIR WORKLOAD cordon|docker: the workload does all that it was learned under, held to its policy of policies/examples, in a
# sandbox of cordon or in a container of Docker, and nothing is refused to it. What it was not seen to do is refused there; the
# control does it in the same without the policy.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=policies/examples/workloads.sh
source "$here/../../policies/examples/workloads.sh"
name=${2:?} engine_kind=${3:?}
((EUID != 0)) || enter "$here/held_test.sh" "$@"
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
# shellcheck source=tests/docker/engine.sh
source "$here/../docker/engine.sh"
# shellcheck source=tests/docker/runtimes.sh
source "$here/../docker/runtimes.sh"
need_root
here=$(cd "$here/../docker" && pwd) # of runtimes.sh
declare -n programs=${name}_programs command=${name}_command ends=${name}_ends workload_user=${name}_user own=${name}_folders
need_programs unshare ip pgrep /usr/bin/python3 "${programs[@]}"
[[ $engine_kind != docker ]] || need_programs /usr/sbin/dockerd /usr/bin/docker runc
policy=$examples/$name/$name.policy
cp "${victims:?}/syscall_probe" "$work/"
probes=(unshare mount=/mnt ptrace)
refused="unshare EPERM mount EPERM ptrace EPERM " done_all="unshare ok mount ok ptrace ok "
sandbox=held-$$
place "$name"

cordon_begin() { exec "${cordon:?}" run --name "$sandbox" --policy "$policy" -- "${command[@]}"; }
cordon_tell() { "$cordon" kill "$sandbox" -s "$1"; }
# Of the filter alone, by root: the file policy does not let the probe begin.
cordon_probes() {
  local bundle
  bundle=$work/probes-$(basename "$1")
  cp -r "$policy" "$bundle"
  /usr/bin/python3 -I "$here/oci_config.py" cordon "$policy/config.json" "$1" on "$work" >"$bundle/config.json"
  [[ $1 != none ]] || echo '{ "defaultAction": "SCMP_ACT_ALLOW", "architectures": [ "SCMP_ARCH_X86_64" ], "syscalls": [] }' >"$bundle/seccomp.json"
  "$cordon" run --user root --policy "$bundle" --allow-degraded files -- "$work/syscall_probe" "${probes[@]}" 2>"$work/probes.log" | tr '\n' ' '
}

docker_begin() {
  exec "${docker[@]:?}" run --rm --name "$sandbox" "${options[@]}" --security-opt "seccomp=$policy/seccomp.json" cordon-matrix "${command[@]}"
}
docker_tell() { "${docker[@]}" kill --signal "$1" "$sandbox" >/dev/null; }
docker_probes() {
  local seccomp=unconfined
  [[ $1 == none ]] || seccomp=$1/seccomp.json
  "${docker[@]}" run --rm --user 0 --network host "${volumes[@]}" --cap-add SYS_ADMIN --cap-add SYS_PTRACE --security-opt "seccomp=$seccomp" \
    cordon-matrix "$work/syscall_probe" "${probes[@]}" | tr '\n' ' '
}

if [[ $engine_kind == docker ]]; then
  make_tree
  docker_ready || skip "Docker cannot be used here"
  disown "${engine_pid:?}"
  for path in "${own[@]}"; do volumes+=(--volume "$path:$path"); done
  options=(--network host --workdir / "${volumes[@]:?}")
  [[ $workload_user == root ]] || options+=(--user 65534:65534)
fi

tell() { "${engine_kind}_tell" "$1"; }
cd /
for signal in "${ends[@]}"; do
  start_server "$work/log" "${engine_kind}_begin"
  disown "$server"
  limit=$((SECONDS + 60))
  until "${name}_works"; do
    die_if_ended "$name" "$work/log"
    ((SECONDS < limit)) || die "$name does not answer: $(tail -n 20 "$work/log")"
    sleep 0.2
  done
  "${name}_do"
  "${name}_works" || die "$name does not answer any more: $(tail -n 20 "$work/log")"
  tell "$signal"
  wait_for "the end of $name" 60 gone "$server"
  expect_missing "$name does its work, held to its policy, until SIG$signal" "cordon: refused" "$(<"$work/log")"
done

expect_equal "what it was not seen to do is refused" "$refused" "$("${engine_kind}_probes" "$policy")"
expect_equal "control: without the policy all of it works" "$done_all" "$("${engine_kind}_probes" none)"
if [[ $engine_kind == cordon ]]; then
  ! "$cordon" run --policy "$policy" -- /bin/cat /etc/passwd >"$work/said" 2>&1 || die "another program runs under the policy"
  ok "another program is refused"
  "$cordon" run -- /bin/cat /etc/passwd >"$work/said" 2>&1 || die "control: $(<"$work/said")"
  ok "control: without the policy it runs"
fi
echo "ok: $checks checks"
