#!/bin/bash
# launch.sh BUILD_DIR [RUNS]: from start to end of /bin/true in a root of its own, beside crun, runc, bubblewrap, unshare(1) and a minimal
# program, interleaved: back to back, and after 100 ms of rest each. "full" is all namespaces, limits of memory, processor and tasks, and a
# filter of 385 calls, of the same config.json.
set -euo pipefail
build=$(cd "${1:?usage: launch.sh BUILD_DIR [RUNS]}" && pwd)
runs=${2:-200}
here=$(cd "$(dirname "$0")" && pwd)
if [[ -z ${CORDON_OWN_MOUNTS:-} ]]; then
  CORDON_OWN_MOUNTS=yes exec unshare --mount --propagation private bash "$here/launch.sh" "$build" "$runs"
fi
((EUID == 0)) || {
  echo "launch.sh: cgroups need root" >&2
  exit 2
}
cordon=$build/bin/cordon
work=$(mktemp -d /var/tmp/cordon-launch.XXXXXX)
trap 'rm -rf "$work"' EXIT
cd "$work"
# crun refuses a host with both cgroup versions.
[[ ! -e /sys/fs/cgroup/unified/cgroup.controllers ]] || mount --bind /dev/null /sys/fs/cgroup/unified/cgroup.controllers

mkdir -p recordings rootfs/{bin,dev,proc,sys,tmp,etc}
cp /bin/busybox rootfs/bin/
ln -s busybox rootfs/bin/true
"$build/bench/write_recordings" recordings 1 "${CALLS:-368}" 20
"$cordon" generate recordings/*.json --name bench -o bench.policy >/dev/null 2>&1
/usr/bin/python3 -I "$here/launch_config.py" bench.policy "$work/rootfs"
cp -r bench.policy plain.policy
names=$(grep -o '"[a-z0-9_]*"' bench.policy/seccomp.json | grep -vc SCMP || true)

full=("$cordon" run --policy "$work/bench.policy" --rootfs "$work/rootfs" -- /bin/true)
bare=("$cordon" run --rootfs "$work/rootfs" -- /bin/true)
"${full[@]}"
ways=(
  @ "minimal program" "$build/bench/minimal_sandbox" "$work/rootfs" /bin/true
  @ "unshare(1)" unshare --mount --pid --uts --ipc --net --cgroup --fork --root "$work/rootfs" /bin/true
  @ "cordon, no policy" "${bare[@]}"
  @ "cordon, full" "${full[@]}"
)
if command -v bwrap >/dev/null; then
  ways+=(@ bubblewrap bwrap --unshare-all --bind "$work/rootfs" / --proc /proc --dev /dev --tmpfs /tmp /bin/true)
fi
for runtime in crun runc; do
  command -v "$runtime" >/dev/null || continue
  for kind in full plain; do
    ways+=(@ "$runtime, $kind" "$runtime" --root "$work/state" run --bundle "$work/oci-$kind" "cordon-launch-$runtime-$kind")
  done
done
echo "filter of $(/usr/bin/python3 -I "$here/launch_config.py" --count bench.policy) calls ($names words)"
for rest in 0 100; do
  echo
  echo "$((rest == 0 ? runs : runs / 4)) runs, $rest ms of rest before each"
  "$build/bench/launch_time" "$((rest == 0 ? runs : runs / 4))" "$rest" "${ways[@]}"
done
echo
echo "part by part, without the start of the program"
"$build/bench/launch_steps" "$work/bench.policy" "$work/rootfs" "$runs"
