#!/bin/bash
# learn.sh BUILD_DIR FOLDER: on this host, which has no SELinux: makes the root of a container in FOLDER/rootfs, learns every workload of
# workloads.sh in it, writes FOLDER/NAME.policy for containers on Debian's SELinux policy, and puts crun, runc and the Docker engine into FOLDER/root, for
# the virtual machine. Exits 77, saying why, where it cannot. Nothing on the host changes: it runs in namespaces of its own.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
engine=(crun runc /usr/sbin/dockerd /usr/bin/docker containerd containerd-shim-runc-v2)
if [[ ${3:-} != inside ]]; then
  ((EUID == 0)) || { echo "learning in a root of its own needs root"; exit 77; }
  for program in busybox nginx redis-server "${engine[@]}"; do
    command -v "$program" >/dev/null || { echo "$program is not installed"; exit 77; }
  done
  build=$(cd "$1" && pwd) && mkdir -p "$2" && folder=$(cd "$2" && pwd)
  exec unshare --mount --net --pid --fork --kill-child --mount-proc bash "$here/learn.sh" "$build" "$folder" inside
fi
build=$1 folder=$2 rootfs=$2/rootfs
mount --make-rprivate /
ip link set lo up
# shellcheck source=tests/vm/containers/workloads.sh
source "$here/workloads.sh"

# with_libraries DESTINATION PROGRAM…: the programs as they are called, and what they are linked with
with_libraries() {
  local destination=$1 program
  shift
  mkdir -p "$destination/bin" "$destination/lib/x86_64-linux-gnu" "$destination/lib64"
  for program; do cp -L "$(command -v "$program")" "$destination/bin/"; done
  { ldd "${@/#/$destination/bin/}" 2>/dev/null || true; } | awk '/=> \//{print $3}' | sort -u | xargs -r cp -L -t "$destination/lib/x86_64-linux-gnu"
  cp -L /lib64/ld-linux-x86-64.so.2 "$destination/lib64/"
}

mkdir -p "$rootfs"/{bin,data,dev,etc,host,neighbour,proc,sys,tmp,www}
with_libraries "$rootfs" busybox nginx redis-server
cp "$build/victims/libvm_container_intruder.so" "$rootfs/intruder.so"
for applet in $("$rootfs/bin/busybox" --list); do [[ -e $rootfs/bin/$applet ]] || ln -s busybox "$rootfs/bin/$applet"; done
cp "$here/work.sh" "$rootfs/"
echo 'welcome' >"$rootfs/www/index.html"
echo 'root:x:0:0:root:/:/bin/sh' >"$rootfs/etc/passwd"
echo 'root:x:0:' >"$rootfs/etc/group"
cp "$here/nginx.conf" "$rootfs/etc/app.conf"

# Learned where it will run: in that root, with cordon beside it for as long.
learning=$folder/learning
cp -a "$rootfs" "$learning"
mkdir "$learning/cordon" "$learning/out"
cp "$build/bin/cordon" "$learning/cordon/"
ldd "$build/bin/cordon" | awk '/=> \//{print $3}' | xargs -r cp -n -L -t "$learning/lib/x86_64-linux-gnu"
mount -t proc proc "$learning/proc"
mount -t sysfs -o ro sysfs "$learning/sys"
mount -t tmpfs tmpfs "$learning/dev"
mknod -m 666 "$learning/dev/null" c 1 3
mknod -m 666 "$learning/dev/urandom" c 1 9
for name in "${workloads[@]}"; do
  declare -n command=${name}_command
  LD_PRELOAD=/intruder.so chroot "$learning" /cordon/cordon profile --quiet -o "/out/$name.json" -- "${command[@]}" \
    </dev/null >"$folder/$name.out" 2>&1 &
  tracer=$!
  "${name}_load" >"$folder/$name.load" 2>&1 || { echo "$name does not work: $(cat "$folder/$name."{out,load})"; exit 1; }
  [[ $name != nginx ]] || kill "$(pgrep -P "$tracer" | head -n 1)"
  wait "$tracer" || true
  [[ -s $learning/out/$name.json ]] || { echo "$name was not learned: $(cat "$folder/$name.out")"; exit 1; }
  "$build/bin/cordon" generate --name "vm_c_$name" --target container:refpolicy-debian12 -o "$folder/$name.policy" "$learning/out/$name.json" \
    >"$folder/$name.generated" 2>&1 || { cat "$folder/$name.generated"; exit 1; }
done
umount "$learning"/{proc,sys,dev}
rm -r "$learning"
tar -C "$rootfs" -cf "$folder/image.tar" .

# Where the packages put them; the virtual machine has a merged /usr.
root=$folder/root
mkdir -p "$root/usr/lib/x86_64-linux-gnu" "$root/usr/bin"
for program in "${engine[@]}"; do cp -L "$(command -v "$program")" "$root/usr/bin/"; done
ldd "$root"/usr/bin/* 2>/dev/null | awk '/=> \//{print $3}' | sort -u | xargs -r cp -L -t "$root/usr/lib/x86_64-linux-gnu"
