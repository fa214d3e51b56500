#!/bin/bash
# learn.sh BUILD_DIR FOLDER: on this host, which has no SELinux: learns every area of the operations and writes FOLDER/op_AREA.policy, with what
# they gave here in FOLDER/host. The program of an area is FOLDER/root/srv/op_AREA/program, for the virtual machine. Exits 77, saying why, where
# it cannot. Nothing on the host changes: it runs in namespaces of its own.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [[ ${3:-} != inside ]]; then
  ((EUID == 0)) || { echo "doing what only root may needs root"; exit 77; }
  build=$(cd "$1" && pwd) && mkdir -p "$2" && folder=$(cd "$2" && pwd)
  exec unshare --mount --net --pid --ipc --uts --fork --kill-child --mount-proc setsid --wait bash "$here/learn.sh" "$build" "$folder" inside
fi
build=$1 folder=$2
mount --make-rprivate /
ip link set lo up
# On a disk's file system, as in the virtual machine: others lack some of the operations.
work=$(mktemp -d "$build/vm/operations.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
chmod 755 "$work"
mount --bind "$work" /srv
mount -t tmpfs -o mode=755 tmpfs /run
cp "$build/bin/cordon" "$build/victims/vm_operations" /run/
mkdir -p "$folder/root/srv"
/run/vm_operations /srv list >"$folder/list"
for area in $(cut -d' ' -f1 "$folder/list" | uniq); do
  name=op_$area
  base=/srv/$name
  mkdir "$base"
  cp /run/vm_operations "$base/program"
  "$base/program" "$base" prepare
  # In mounts of its own: those that it makes stay.
  # shellcheck disable=SC2016  # for that shell
  unshare --mount sh -c 'mount -t tmpfs tmpfs /tmp; mount -t tmpfs tmpfs /dev/shm; exec /run/cordon profile --quiet -o "$0" -- "$@"' \
    "/run/$name.json" "$base/program" "$base" "$area" </dev/null 2>"$folder/$name.err" | cat >>"$folder/host" ||
    { echo "$name was not learned: $(cat "$folder/$name.err")"; exit 1; }
  /run/cordon generate --name "$name" --target refpolicy-debian12 -o "$folder/$name.policy" "/run/$name.json" >"$folder/$name.generated" 2>&1 ||
    { cat "$folder/$name.generated"; exit 1; }
  cp "/run/$name.json" "$folder/$name.recording.json"
  install -D "$base/program" "$folder/root/srv/$name/program"
done
