#!/bin/bash
# learn.sh BUILD_DIR FOLDER: on this host, which has no SELinux: learns every program of workloads.sh at work, writes FOLDER/NAME.policy, and puts
# what the programs consist of, as Debian's packages installed it here, into FOLDER/root, for the virtual machine. Exits 77, saying why, where it
# cannot. Nothing on the host changes: it runs in namespaces of its own, with overlays over what the programs write to.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [[ ${3:-} != inside ]]; then
  ((EUID == 0)) || { echo "learning system services needs root"; exit 77; }
  for program in checkmodule semodule_package redis-server redis-benchmark nginx /usr/bin/python3.11 /usr/lib/postgresql/15/bin/initdb dropbear dbclient; do
    command -v "$program" >/dev/null || { echo "$program is not installed"; exit 77; }
  done
  build=$(cd "$1" && pwd) && mkdir -p "$2" && folder=$(cd "$2" && pwd)
  exec unshare --mount --net --pid --fork --kill-child --mount-proc bash "$here/learn.sh" "$build" "$folder" inside
fi
build=$1 folder=$2
mount --make-rprivate /
ip link set lo up
# Over what is written to. The layers themselves must not lie beneath it.
mkdir -p "$folder/layers"
mount -t tmpfs tmpfs "$folder/layers"
for place in etc var srv usr/local; do
  mkdir -p "$folder/layers/$place/upper" "$folder/layers/$place/work"
  mount -t overlay overlay -o "lowerdir=/$place,upperdir=$folder/layers/$place/upper,workdir=$folder/layers/$place/work" "/$place" ||
    { echo "no overlay can be mounted over /$place"; exit 77; }
done
mount -t tmpfs -o mode=755 tmpfs /run
# As it is in the virtual machine: a terminal belongs to who makes it.
mount -t devpts -o newinstance,ptmxmode=666 devpts /dev/pts
# Compiled when Debian installed them, so of no package: the virtual machine has none either.
mount -t tmpfs tmpfs /usr/lib/python3.11/__pycache__
mkdir -p /usr/local/lib /usr/local/bin
cp "$build/bin/cordon" /usr/local/bin/cordon
cp "$build/victims/libvm_intruder.so" /usr/local/lib/intruder.so
mkdir -p /usr/local/sbin
cp "$build/victims/vm_pool" /usr/local/sbin/pool
# shellcheck source=tests/vm/servers/workloads.sh
source "$here/workloads.sh"
# A shell looks at where it is started, and where it was before.
cd /
unset OLDPWD
mkdir -p /run/learn
chmod 777 /run/learn

for name in "${workloads[@]}"; do
  declare -n command=${name}_command user=${name}_user
  "${name}_prepare"
  LD_PRELOAD=/usr/local/lib/intruder.so setpriv --reuid="$user" --regid="$user" --init-groups \
    /usr/local/bin/cordon profile --quiet -o "/run/learn/$name.json" -- "${command[@]}" </dev/null >"/run/learn/$name.out" 2>&1 &
  tracer=$!
  status=0
  "${name}_load" >>"/run/learn/$name.load" 2>&1 || { echo "$name does not work: $(cat "/run/learn/$name."{out,load})"; exit 1; }
  "${name}_stop" "$(pgrep -P "$tracer" | head -n 1)" || status=$?
  wait "$tracer" || status=$?
  [[ -s /run/learn/$name.json ]] || { echo "$name was not learned ($status): $(cat "/run/learn/$name.out")"; exit 1; }
  cordon generate --name "vm_$name" --target refpolicy-debian12 -o "$folder/$name.policy" "/run/learn/$name.json" >"$folder/$name.generated" 2>&1 ||
    { cat "$folder/$name.generated"; exit 1; }
  cp "/run/learn/$name.json" "$folder/$name.recording.json"
done

# One of them as the package that people make of what is for people.
chores=$folder/chores.policy/vm_chores
checkmodule -M -m -o "$chores.mod" "$chores.te" >/dev/null
semodule_package -o "$chores.pp" -m "$chores.mod" -f "$chores.fc"
rm "$chores.cil" "$chores.mod"

# What the packages installed, and the libraries that it needs.
root=$folder/root
mkdir -p "$root"
files() { dpkg -L "$@" | grep -vE '^/usr/share/(doc|man|locale|lintian|bug)/' | while read -r file; do [[ -d $file && ! -L $file ]] || echo "$file"; done; }
mapfile -t modules < <(dpkg-query -W -f='${db:Status-Status} ${Package}\n' 'libnginx-mod-*' 2>/dev/null | sed -n 's/^installed //p')
mapfile -t installed < <(files "${modules[@]}" redis-server redis-tools nginx nginx-common python3.11-minimal libpython3.11-minimal libpython3.11-stdlib \
  dropbear-bin postgresql-15 postgresql-client-15 | grep -vE '/test/|/bitcode/|llvmjit|/pgxs/|/locale/')
mapfile -t libraries < <(ldd "${installed[@]}" 2>/dev/null | awk '/=> \//{print $3}' | sort -u)
mkdir -p "$root/usr/lib/x86_64-linux-gnu"
# Under the names that the loader asks for, in the folder that they lie in: /lib is a link.
cp -L "${libraries[@]}" "$root/usr/lib/x86_64-linux-gnu/"
printf '%s\n' "${installed[@]}" /usr/bin/python3 /etc/nginx/sites-enabled /etc/nginx/modules-enabled /etc/redis /usr/local/lib/intruder.so /usr/local/sbin/pool |
  sed 's,^/lib/,/usr/lib/,; s,^/,,' | tar -C / -cf - -T - | tar -C "$root" -xf -
umount -l "$folder/layers"
