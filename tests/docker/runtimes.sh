# shellcheck shell=bash
# One sandbox on each runtime, for a generated policy. Needs harness.sh and engine.sh. Every runtime here is: RUNTIME_ready says whether it
# can be used; RUNTIME_sandbox POLICY NNP COMMAND… runs COMMAND in $folder, as $container, in the host's network, held to the bundle
# POLICY ("none": to no seccomp policy) with or without no_new_privileges (on, off); RUNTIME_exec COMMAND… runs a further one in it.
# Where a program alone is asked what its filter refuses, RUNTIME_probe takes the place of RUNTIME_sandbox. All of them give the same capabilities, two more than usual, so that what is refused is refused by the filter.

# In a mount namespace of its own: hides what makes crun refuse a hybrid of both cgroup versions, where $1 is a folder shows the
# host's root there, and runs the rest.
# shellcheck disable=SC2016  # for the inner shell
own_mounts='
  if [ -e /sys/fs/cgroup/unified/cgroup.controllers ]; then
    mount --bind /dev/null /sys/fs/cgroup/unified/cgroup.controllers
  fi
  if [ -n "$1" ]; then
    mount --rbind / "$1" && mount --make-rprivate "$1"
  fi
  shift
  exec "$@"'

# The tree that Docker and Podman start from: the host's programs are volumes, its accounts and settings copies.
make_tree() {
  local name
  tree=${work:?}/tree
  volumes=(--volume /usr:/usr:ro --volume "$work:$work")
  mkdir -p "$tree"/{etc,proc,sys,dev,run,tmp,mnt,root,usr,var/tmp,var/log/nginx,var/lib/nginx}
  chmod 1777 "$tree"/{tmp,var/tmp}
  for name in bin sbin lib lib32 lib64 libx32; do
    if [[ -L /$name ]]; then
      ln -s "usr/$name" "$tree/$name"
    elif [[ -d /$name ]]; then
      mkdir "$tree/$name"
      volumes+=(--volume "/$name:/$name:ro")
    fi
  done
  for name in passwd group nsswitch.conf ld.so.cache ld.so.conf ld.so.conf.d alternatives nginx perl python3 python3.11 mime.types localtime; do
    [[ ! -e /etc/$name ]] || cp -rL "/etc/$name" "$tree/etc/" 2>/dev/null || true
  done
}

docker_ready() {
  [[ -x /usr/sbin/dockerd && -x /usr/bin/docker ]] && command -v runc >/dev/null || return 1
  start_engine
  tar -C "$tree" -c . | "${docker[@]:?}" import - cordon-matrix >/dev/null
}

engine_options() {
  options=(--name "$container" --network host --workdir "$folder" --cap-add SYS_ADMIN --cap-add SYS_PTRACE --cap-add NET_RAW --env LC_ALL=C)
  if [[ $1 == none ]]; then
    options+=(--security-opt seccomp=unconfined)
  else
    options+=(--security-opt "seccomp=$1/seccomp.json")
  fi
  [[ $2 != on ]] || options+=(--security-opt no-new-privileges)
}

docker_sandbox() {
  engine_options "$1" "$2"
  shift 2
  exec "${docker[@]}" run --rm "${options[@]}" "${volumes[@]}" cordon-matrix "$@"
}
docker_exec() { "${docker[@]}" exec "$container" "$@"; }

podman_ready() {
  command -v podman >/dev/null && command -v crun >/dev/null || return 1
  # What Podman asks for beyond what the caller has it does not get: without CAP_SYS_RESOURCE no hard limit can be raised.
  cat >"$work/containers.conf" <<'CONF'
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
runtime = "crun"
CONF
  podman=(env "CONTAINERS_CONF=$work/containers.conf" podman --root "$work/podman" --runroot "$work/podman-run" --tmpdir "$work/podman-tmp"
    --storage-driver vfs)
  at_end stop_podman
}

stop_podman() {
  unshare -m sh -c "$own_mounts" sh '' "${podman[@]}" rm -fa -t 0 >/dev/null 2>&1
  unshare -m sh -c "$own_mounts" sh '' "${podman[@]}" unmount -a >/dev/null 2>&1
}

podman_sandbox() {
  engine_options "$1" "$2"
  shift 2
  exec unshare -m sh -c "$own_mounts" sh '' "${podman[@]}" run --rm "${options[@]}" "${volumes[@]}" --rootfs "$tree" "$@"
}
podman_exec() { unshare -m sh -c "$own_mounts" sh '' "${podman[@]}" exec "$container" "$@"; }

runc_ready() { command -v runc >/dev/null; }
crun_ready() { command -v crun >/dev/null; }

# oci_sandbox RUNTIME POLICY NNP COMMAND…: with the bundle's own config.json, but for this test's own dimensions.
oci_sandbox() {
  local runtime=$1 policy=$2 nnp=$3 oci=$work/oci.$container config
  shift 3
  config=$policy/config.json
  [[ $policy != none ]] || config=${any_policy:?}/config.json
  mkdir -p "$oci/rootfs"
  /usr/bin/python3 -I "${here:?}/oci_config.py" "$runtime" "$config" "$policy" "$nnp" "$folder" "$@" >"$oci/config.json"
  exec unshare -m sh -c "$own_mounts" sh "$oci/rootfs" "$runtime" --root "$work/state.$runtime" run --bundle "$oci" "$container"
}
runc_sandbox() { oci_sandbox runc "$@"; }
crun_sandbox() { oci_sandbox crun "$@"; }
runc_exec() { runc --root "$work/state.runc" exec "$container" "$@"; }
crun_exec() { unshare -m sh -c "$own_mounts" sh '' crun --root "$work/state.crun" exec "$container" "$@"; }

cordon_ready() { true; }

# no_new_privileges is in the bundle.
cordon_sandbox() {
  local policy=$1
  shift 2
  cd "$folder" && exec "${cordon:?}" run --policy "$policy" -- "$@"
}

# The filter of the bundle alone, or one that allows everything.
cordon_probe() {
  local bundle=$work/bundle.$container policy=$1
  [[ $policy != none ]] || policy=$any_policy
  cp -r "$policy" "$bundle"
  /usr/bin/python3 -I "$here/oci_config.py" cordon "$policy/config.json" "$1" "$2" "$folder" >"$bundle/config.json"
  if [[ $1 == none ]]; then
    echo '{ "defaultAction": "SCMP_ACT_ALLOW", "architectures": [ "SCMP_ARCH_X86_64" ], "syscalls": [] }' >"$bundle/seccomp.json"
  fi
  shift 2
  cd "$folder" && exec "${cordon:?}" run --policy "$bundle" --allow-degraded files -- "$@"
}
