#!/bin/bash
# bare-debian.sh [--with FILE]… [COMMAND…]: makes a Debian 12 that has only its base system and git, puts a clone of this repository's HEAD into it, and runs
# there `./dev quickstart` and `./dev test` (or COMMAND). With FILEs these come to /root in place of the clone, and COMMAND runs there. Needs root and debootstrap. The base tree is kept for the next time in
# $CORDON_BARE_CACHE (default /var/tmp/cordon-bare); the copy that is worked in is removed, unless CORDON_BARE_KEEP is set.
#
# The tree is entered by pivot_root in its own mount, pid, uts and ipc namespaces: under plain chroot(2) the kernel refuses user
# namespaces and pivot_root (user_namespaces(7), pivot_root(2)). The network is the host's, because apt needs it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

suite=bookworm
mirror=${CORDON_DEBIAN_MIRROR:-http://deb.debian.org/debian}
cache=${CORDON_BARE_CACHE:-/var/tmp/cordon-bare}

fail() {
  echo "bare-debian: $*" >&2
  exit 1
}

files=()
while [[ ${1:-} == --with ]]; do
  files+=("$(realpath "$2")")
  shift 2
done

((EUID == 0)) || fail "run this as root: debootstrap and pivot_root need it"
command -v debootstrap >/dev/null || fail "debootstrap is missing: apt-get install debootstrap"
((${#files[@]} > 0)) || [[ -z $(git status --porcelain) ]] || echo "bare-debian: uncommitted changes are not tested: the clone is of HEAD" >&2

mkdir -p "$cache"
if [[ ! -e $cache/base.complete ]]; then
  rm -rf "$cache/base"
  debootstrap --variant=minbase --include=git "$suite" "$cache/base" "$mirror" >"$cache/debootstrap.log" 2>&1 ||
    fail "debootstrap failed: see $cache/debootstrap.log"
  touch "$cache/base.complete"
fi

tree=$(mktemp -d "$cache/tree.XXXXXX")
clean_up() {
  # Nothing is mounted below the tree in this namespace; --one-file-system in case that is ever wrong.
  [[ -n ${CORDON_BARE_KEEP:-} ]] || rm -rf --one-file-system "$tree"
}
trap clean_up EXIT
cp -a "$cache/base/." "$tree"

# apt as this host has it: where it fetches from and how.
cp /etc/resolv.conf /etc/hosts "$tree/etc/"
if [[ -e /etc/apt/sources.list.d/debian.sources ]]; then
  rm -f "$tree/etc/apt/sources.list"
  cp /etc/apt/sources.list.d/debian.sources "$tree/etc/apt/sources.list.d/"
elif [[ -s /etc/apt/sources.list ]]; then
  cp /etc/apt/sources.list "$tree/etc/apt/sources.list"
fi
grep -rlEiZ "^Acquire::(Check|http|https|Retries)" /etc/apt/apt.conf.d |
  xargs -r0 cp -t "$tree/etc/apt/apt.conf.d/"

if ((${#files[@]} > 0)); then
  cp "${files[@]}" "$tree/root/"
else
  git clone --quiet --no-hardlinks . "$tree/root/cordon"
fi

cat >"$tree/root/enter" <<'ENTER'
#!/bin/bash
# In fresh mount and pid namespaces, with the tree's path: makes it the root and runs the rest of the arguments in it.
set -euo pipefail
tree=$1
shift
mount --make-rprivate /
mount --bind "$tree" "$tree"
cd "$tree"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount --rbind /sys/fs/cgroup sys/fs/cgroup
mount --rbind /dev dev
mount -t tmpfs tmpfs dev/shm
mount -t tmpfs -o mode=755 tmpfs run
mkdir -p old
pivot_root . old
umount -l /old
rmdir /old
hostname bare
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM="${TERM:-dumb}" \
  LANG=C.UTF-8 ${CI:+CI="$CI"} ${CORDON_JOBS:+CORDON_JOBS="$CORDON_JOBS"} bash -c "$*"
ENTER

command='cd /root/cordon && time ./dev quickstart && time ./dev test'
(($# == 0)) || command="cd /root/cordon && $*"
((${#files[@]} == 0)) || command="cd /root && $*"
status=0
unshare --mount --pid --fork --kill-child --uts --ipc bash "$tree/root/enter" "$tree" "$command" || status=$?
((status == 0)) || fail "FAILED on the bare Debian: exit status $status of: $command"
echo "bare-debian: ok: $command"
