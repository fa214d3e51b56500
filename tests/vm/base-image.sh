#!/bin/bash
# base-image.sh: makes, once, what the virtual machine boots from, and prints the folder that it is in: base.ext4, a Debian with the SELinux
# reference policy installed and every file labelled, and vmlinuz, Debian's cloud kernel. Kept in $CORDON_CACHE (default build/cache). Exits 77,
# after printing SKIPPED and the reason to standard error, where that cannot be had.
#
# Labels are written here, on a host without SELinux: to root, security.selinux is an extended attribute like any other.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${CORDON_CACHE:-$here/../../build/cache}
mirror=${CORDON_MIRROR:-http://deb.debian.org/debian}
packages=selinux-policy-default,policycoreutils,selinux-utils,iproute2,procps,libseccomp2,systemd,libpam-systemd,dbus,dbus-user-session

skip() {
  echo "SKIPPED: $*" >&2
  exit 77
}

((EUID == 0)) || skip "making the image of the virtual machine needs root (device nodes, labels)"
for tool in apt-get apt-cache dpkg-deb debootstrap setfiles mke2fs; do
  command -v "$tool" >/dev/null || skip "$tool is not installed (packages debootstrap, policycoreutils, e2fsprogs)"
done
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
exec 9>"$cache/.vm.lock"
flock 9
# Whatever changes the image changes its name.
folder=$cache/vm-$(sha256sum <"${BASH_SOURCE[0]}" | cut -c1-16)
if [[ -e $folder/base.ext4 ]]; then
  echo "$folder"
  exit 0
fi

work=$(mktemp -d "$cache/.vm.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/kernel" "$work/result"
# linux-image-cloud-amd64 is empty and depends on the kernel of the day.
kernel=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: \(linux-image-.*\)$/\1/p' | head -n 1)
[[ -n $kernel ]] || skip "apt knows no linux-image-cloud-amd64: apt-get update"
(cd "$work/kernel" && apt-get download "$kernel" >download.log 2>&1) ||
  skip "the package $kernel cannot be downloaded: $(tail -n 1 "$work/kernel/download.log")"
dpkg-deb -x "$work/kernel"/*.deb "$work/kernel/tree"
cp "$work/kernel/tree/boot"/vmlinuz-* "$work/result/vmlinuz"

root=$work/root
debootstrap --variant=minbase --include="$packages" bookworm "$root" "$mirror" >"$work/debootstrap.log" 2>&1 ||
  skip "debootstrap failed: $(tail -n 1 "$work/debootstrap.log")"
# NVMe, ext4 and the serial ports are built into this kernel: no module and no initial ramdisk is needed.
rm -rf "${root:?}"/{var/cache/apt,var/lib/apt/lists,usr/share/doc,usr/share/locale,usr/share/man}
find "$root"/{proc,sys,dev,run} -mindepth 1 -delete
mkdir "$root/vm" "$root/out"
# The rest of the start-up is in what boot.sh puts on the second disk, so that it can change without a new image.
cat >"$root/init" <<'INIT'
#!/bin/sh
mount -t devtmpfs dev /dev 2>/dev/null
mount -o remount,rw /
tar -C / --keep-directory-symlink -xf /dev/nvme1n1
exec /vm/start
INIT
chmod 755 "$root/init"
setfiles -F -r "$root" "$root/etc/selinux/default/contexts/files/file_contexts" "$root"
truncate -s 1200M "$work/result/base.ext4"
mke2fs -q -t ext4 -O ^has_journal -d "$root" "$work/result/base.ext4"
mv "$work/result" "$folder"
echo "$folder"
