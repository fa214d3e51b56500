#!/bin/bash
# systemd as the first process of a container: a pid namespace with a cgroup v2 tree of its own. In it cordon's sandboxes are scopes, as root and as an
# ordinary user with a manager of its own (inside.sh). Permissive meanwhile: the policy knows systemd as the machine's first process only.
set -u
[[ -x /lib/systemd/systemd ]] || { echo "SKIPPED: the machine has no systemd"; exit 77; }
folder=/sys/fs/cgroup/machine
read -ra controllers </sys/fs/cgroup/cgroup.controllers
for controller in "${controllers[@]}"; do echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control; done 2>/dev/null
mkdir $folder
said=$PWD/said
echo 0 >/sys/fs/selinux/enforce
cat >/etc/systemd/system/cordon-check.service <<UNIT
[Unit]
Requires=dbus.service
After=dbus.service
[Service]
Type=oneshot
ExecStart=/bin/bash $PWD/inside.sh
StandardOutput=file:$said
StandardError=inherit
UNIT
grep -q ^plain: /etc/passwd || echo 'plain:x:1000:1000::/tmp:/bin/sh' >>/etc/passwd
grep -q ^plain: /etc/shadow || echo 'plain:*:19000:0:99999:7:::' >>/etc/shadow
grep -q ^plain: /etc/group || echo 'plain:x:1000:' >>/etc/group
# Nobody else may be in the cgroup that becomes the root of the container's.
unshare --fork --kill-child --pid --mount --uts --ipc --propagation private bash -c '
  echo 0 >/sys/fs/cgroup/machine/cgroup.procs
  exec unshare --cgroup bash -c "
    umount /sys/fs/selinux
    umount /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    mount -t proc proc /proc
    mount -t tmpfs tmpfs /run
    mount -t tmpfs tmpfs /tmp
    exec env -i container=cordon PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C /lib/systemd/systemd --system --unit=cordon-check.service \
      --show-status=no --log-target=console --log-level=warning"' </dev/null >systemd.log 2>&1 &
machine=$!
limit=$((SECONDS + 240))
until grep -q '^checked: ' "$said" 2>/dev/null; do
  if ((SECONDS > limit)); then
    echo "nothing came of it; systemd said:"
    break
  fi
  sleep 0.5
done
kill -KILL $machine
wait $machine 2>/dev/null
echo 1 >/sys/fs/selinux/enforce
cat "$said"
if ! grep -q '^checked: ok' "$said"; then
  tail -n 50 systemd.log
  exit 1
fi
