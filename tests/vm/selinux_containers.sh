#!/bin/bash
# Workloads that were learned on a host without SELinux (containers/learn.sh) run in containers of crun, runc and the Docker engine in the types made for
# them, enforcing: nothing that they do is denied. An intruder in the same container is denied fifteen acts, less those that its work consists of
# (NAME_may), each of which it can do in a container of the same runtime that has no type.
# shellcheck disable=SC2317  # start_RUNTIME and end_RUNTIME are called by what they are called
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/vm/containers/workloads.sh
source ./workloads.sh
failed=0
fail() {
  echo "not ok: $*"
  failed=1
}
now() { cut -d' ' -f1 /proc/uptime; }
categories=c111,c222
context() { echo "system_u:system_r:vm_c_$1_t:s0:$categories"; }
# denials NAME
denials() { dmesg | grep 'avc:  denied' | grep "scontext=[^ ]*:vm_c_$1_t:"; }
no_denials() {
  if denials "$1" | sed 's/.*avc: //' | sort | uniq | head -n 12 | grep .; then
    fail "$1 was denied what it had been seen doing in $2"
  fi
}

echo "--- loading at $(now) s"
# Lets the control make code writable; our types are none that this is for.
setsebool allow_execmem on
modules=(prepared/nginx.policy/cordon_container.cil)
for name in "${workloads[@]}"; do modules+=("prepared/$name.policy/vm_c_$name.cil"); done
semodule -i "${modules[@]}" || exit 1
mkdir -p /srv/volumes/{host,neighbour,data}
echo secret | tee /srv/volumes/host/secret >/srv/volumes/neighbour/secret
restorecon -RF /srv/volumes
chcon -R system_u:object_r:container_file_t:s0:c7,c8 /srv/volumes/neighbour
mkdir -p bundle
mv prepared/rootfs bundle/rootfs

# config TYPE INTRUDE NNP COMMAND…: the config.json; TYPE "" for none
config() {
  local type=$1 intrude=$2 nnp=$3 label='' args capabilities
  shift 3
  [[ -z $type ]] || label="\"selinuxLabel\": \"$(context "$type")\","
  args=$(printf '"%s",' "$@")
  capabilities='"CAP_CHOWN","CAP_DAC_OVERRIDE","CAP_FOWNER","CAP_FSETID","CAP_KILL","CAP_MKNOD","CAP_NET_BIND_SERVICE","CAP_NET_RAW","CAP_SETGID","CAP_SETUID"'
  cat <<CONFIG
{ "ociVersion": "1.0.0", "root": { "path": "rootfs" }, "hostname": "boxed",
  "process": { "user": { "uid": 0, "gid": 0 }, "cwd": "/", "args": [ ${args%,} ], $label "noNewPrivileges": $nnp,
    "env": [ "PATH=/bin", "LD_PRELOAD=/intruder.so", "CORDON_INTRUDE=$intrude" ],
    "capabilities": { "bounding": [ $capabilities ], "effective": [ $capabilities ], "permitted": [ $capabilities ] } },
  "linux": { "mountLabel": "system_u:object_r:container_file_t:s0:$categories",
    "namespaces": [ { "type": "pid" }, { "type": "mount" }, { "type": "ipc" }, { "type": "uts" } ] },
  "mounts": [ { "destination": "/proc", "type": "proc", "source": "proc" },
    { "destination": "/sys", "type": "sysfs", "source": "sysfs", "options": [ "ro" ] },
    { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": [ "nosuid", "mode=755" ] },
    { "destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": [ "newinstance", "ptmxmode=0666", "mode=0620" ] },
    { "destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": [ "nosuid", "nodev", "mode=1777" ] },
    { "destination": "/host", "type": "bind", "source": "/srv/volumes/host", "options": [ "rbind", "rw" ] },
    { "destination": "/neighbour", "type": "bind", "source": "/srv/volumes/neighbour", "options": [ "rbind", "rw" ] } ] }
CONFIG
}

# The three ways to start a container: start_RUNTIME TYPE INTRUDE COMMAND…; its output is theirs. "" is no type.
start_crun() { config "$1" "$2" true "${@:3}" >bundle/config.json && crun --cgroup-manager=cgroupfs run --bundle bundle boxed; }
start_runc() { config "$1" "$2" false "${@:3}" >bundle/config.json && runc run --bundle bundle boxed; }
start_docker() {
  local label=disable
  [[ -z $1 ]] || label=type:vm_c_$1_t
  docker run --rm --name boxed --network host --security-opt "label=$label" -e LD_PRELOAD=/intruder.so -e CORDON_INTRUDE="$2" \
    -v /srv/volumes/host:/host -v /srv/volumes/neighbour:/neighbour "${docker_options[@]}" workloads "${@:3}"
}
docker_options=()
end_crun() { crun kill boxed KILL; }
end_runc() { runc kill boxed KILL; }
end_docker() { docker kill boxed >/dev/null; }

# works RUNTIME NAME: the workload under load, in its type
works() {
  local runtime=$1 name=$2 started pid attribute=''
  local -n command=${name}_command
  echo "--- $name in $runtime at $(now) s"
  rm -rf bundle/rootfs/data
  mkdir bundle/rootfs/data
  [[ $runtime == docker ]] || chcon -R "system_u:object_r:container_file_t:s0:$categories" bundle/rootfs
  dmesg -C
  "start_$runtime" "$name" '' "${command[@]}" </dev/null > >(cat >"$name.out") 2>&1 &
  started=$!
  if [[ $name != script ]]; then
    until_true 60 "${name}_ready" || true
    pid=$(pgrep "^$name" | head -n 1)
    attribute=$(tr -d '\0' <"/proc/$pid/attr/current")
  fi
  "${name}_load" >"$name.load" 2>&1 || fail "$name does not work in $runtime: $(tail -n 3 "$name.load" "$name.out")"
  [[ $name != nginx ]] || "end_$runtime"
  wait "$started"
  local status=$?
  [[ $name == nginx || $status == 0 ]] || fail "$name ended with $status in $runtime: $(tail -n 3 "$name.out")"
  [[ $name != script || $(tail -n 1 "$name.out") == 'all done'* ]] || fail "the script did not come to its end: $(cat "$name.out")"
  # A script of a moment says it itself.
  [[ $name != script ]] || attribute=$(grep -ao 'system_u:[a-z0-9_:,]*' "$name.out")
  [[ $attribute == system_u:system_r:vm_c_${name}_t:s0:c*,c* ]] || fail "$name ran in $runtime as $attribute"
  echo "$name ran in $runtime as $attribute"
  no_denials "$name" "$runtime"
}

# intruded RUNTIME NAME ACTS: the intruder in its type, and without one, where it can do so many acts
intruded() {
  local runtime=$1 name=$2 acts=$3 program allowed expected refused
  local -n command=${name}_command may=${name}_may
  program=${command[0]##*/}
  echo "--- the intruder in $name, $runtime at $(now) s"
  "start_$runtime" '' "$program" "${command[@]}" >"$name.control" 2>&1 </dev/null
  dmesg -C
  "start_$runtime" "$name" "$program" "${command[@]}" 2>&1 </dev/null | cat >"$name.intruder"
  # What the control cannot do there shows nothing.
  grep ' ok$' "$name.control" | cut -d' ' -f1 >"$name.acts"
  [[ $(wc -l <"$name.acts") == "$acts" ]] || fail "$name, $runtime: the control cannot do all $acts: $(cat "$name.control")"
  grep -F -w -f "$name.acts" "$name.intruder" | tr '\n' ';'
  echo
  allowed=$(grep -F -w -f "$name.acts" "$name.intruder" | sed -n 's/ ok$//p' | sort | tr '\n' ' ')
  expected=$(tr ' ' '\n' <<<"$may" | grep . | sort | tr '\n' ' ')
  [[ $allowed == "$expected" ]] || fail "$name, $runtime: the intruder may: $allowed"
  refused=$(grep -F -w -f "$name.acts" "$name.intruder" | grep -cE ' (EACCES|EPERM)$')
  [[ $refused == $((acts - $(wc -w <<<"$expected"))) ]] || fail "$name, $runtime: $(cat "$name.intruder")"
  (($(denials "$name" | wc -l) >= refused)) || fail "$name, $runtime: fewer denials than refusals: $(denials "$name")"
  echo "$refused of $acts acts refused, with $(denials "$name" | wc -l) denials, such as"
  denials "$name" | sed 's/.*avc:  denied  //; s/pid=[0-9]* //; s/ino=[0-9]* //' | cut -c1-170 | sed -n '1p;$p'
}

for name in "${workloads[@]}"; do
  works crun "$name"
  [[ $name == script ]] || intruded crun "$name" 15
done
works runc nginx
intruded runc nginx 15

echo "--- the Docker engine at $(now) s"
export DOCKER_HOST=unix:///run/docker.sock HOME=/root
mkdir -p /var/lib/docker
dockerd --selinux-enabled --storage-driver=vfs --bridge=none --iptables=false --ip6tables=false -H "$DOCKER_HOST" >dockerd.log 2>&1 </dev/null &
engine=$!
if until_true 120 docker version >/dev/null; then
  docker import prepared/image.tar workloads >/dev/null || fail "no image: $(tail -n 3 dockerd.log)"
  works docker nginx
  # Docker keeps settings of the kernel read-only, in whatever type.
  intruded docker nginx 14
  docker_options=(-v /srv/volumes/data:/data:Z --security-opt "seccomp=$PWD/prepared/redis.policy/seccomp.json")
  works docker redis
  [[ $(stat -c %C /srv/volumes/data/appendonlydir /srv/volumes/data/dump.rdb) == *container_file_t:s0:c* ]] || fail "redis' volume: $(ls -lZR /srv/volumes/data)"
  docker_options=(-t)
  works docker script
else
  fail "dockerd did not answer: $(tail -n 5 dockerd.log)"
fi
kill "$engine"
wait "$engine"
# Others of this boot count on a policy without types for containers.
names=("${modules[@]##*/}")
semodule -r "${names[@]%.cil}" || fail "the modules cannot be removed"
echo "--- over at $(now) s"
exit $failed
