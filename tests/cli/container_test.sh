#!/bin/bash
# container_test.sh BUILD_DIR runc|crun: a program that was learned without them is held to its generated profile by the container runtime itself,
# with and without no_new_privileges: it starts, unshare, mount, ptrace and raw sockets fail with EPERM, clone3 with ENOSYS. The control: the
# same container without a profile, where each of them works.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
runtime=$2
need_root
need_programs "$runtime"
cd "$work"

# The second probe teaches it to have children.
"${cordon:?}" profile -o probe.json -- "${victims:?}/syscall_probe" read=/etc/passwd shell >/dev/null
"$cordon" generate probe.json --runtime "$runtime" -o probe.policy
ok "learned and generated"

mkdir -p bundle/rootfs/{bin,dev,etc,mnt,proc,sys}
cp "$victims/syscall_probe" bundle/rootfs/bin/
cp /etc/passwd bundle/rootfs/etc/

# configure NO_NEW_PRIVILEGES USER PROFILE PROBE…: writes bundle/config.json. PROFILE "none" is none.
configure() {
  local privileges=$1 user=$2 profile=$3 capabilities='["CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_NET_RAW", "CAP_SETUID", "CAP_SETGID"]' seccomp=
  shift 3
  [[ $profile == none ]] || seccomp=", \"seccomp\": $(cat "$profile")"
  cat >bundle/config.json <<JSON
{ "ociVersion": "1.0.2",
  "process": { "user": $user, "args": [ "/bin/syscall_probe"$(printf ', "%s"' "$@") ], "cwd": "/", "env": [ "PATH=/bin" ],
    "noNewPrivileges": $privileges, "capabilities": { "bounding": $capabilities, "effective": $capabilities, "permitted": $capabilities } },
  "root": { "path": "rootfs" },
  "mounts": [ { "destination": "/proc", "type": "proc", "source": "proc" },
              { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": [ "mode=755" ] } ],
  "linux": { "namespaces": [ { "type": "pid" }, { "type": "mount" }, { "type": "network" }, { "type": "ipc" }, { "type": "uts" } ]$seccomp } }
JSON
}

# in_container: what the probes got, in one line. crun takes no hybrid cgroup hierarchy for one with controllers: hide v2's from it.
in_container() {
  local id
  id=$(basename "$work")
  if [[ $runtime == crun && -e /sys/fs/cgroup/unified/cgroup.controllers ]]; then
    # shellcheck disable=SC2016  # $0 and $1 are the inner shell's
    unshare --mount sh -c 'mount --bind /dev/null /sys/fs/cgroup/unified/cgroup.controllers; exec crun run --bundle "$0" "$1"' bundle "$id"
  else
    "$runtime" run --bundle bundle "$id"
  fi 2>&1 | tr '\n' ' '
}

root='{ "uid": 0, "gid": 0 }'
other='{ "uid": 33, "gid": 33, "additionalGids": [ 5 ] }'
probes=(read=/etc/passwd unshare mount=/mnt ptrace raw_socket packet_socket clone3)
for privileges in true false; do
  configure "$privileges" "$root" probe.policy/seccomp.json "${probes[@]}"
  expect_equal "noNewPrivileges $privileges: held" \
    "read ok unshare EPERM mount EPERM ptrace EPERM raw_socket EPERM packet_socket EPERM clone3 ENOSYS " "$(in_container)"
  configure "$privileges" "$root" none "${probes[@]}"
  expect_equal "noNewPrivileges $privileges: the control" \
    "read ok unshare ok mount ok ptrace ok raw_socket ok packet_socket ok clone3 ok " "$(in_container)"
  configure "$privileges" "$other" probe.policy/seccomp.json read=/etc/passwd
  expect_equal "noNewPrivileges $privileges: as another user" "read ok " "$(in_container)"
done

# A runtime starts a thread or handles a signal now and then: the base set must do every time.
configure false "$other" probe.policy/seccomp.json read=/etc/passwd
for ((i = 0; i < 15; i++)); do
  got=$(in_container)
  [[ $got == "read ok " ]] || die "start $i failed: $got"
done
ok "it starts every time"
echo "ok: $checks checks"
