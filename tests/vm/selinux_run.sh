#!/bin/sh
# cordon run on a kernel that enforces SELinux: the workload is in the policy's domain, which is checked before and after; what the domain refuses is
# refused, with a control; and each obstacle is named with what to do about it.
set -eu
cd "$(mktemp -d)" && chmod 755 .
domain=system_u:system_r:victim_t:s0
[ "$(cat /sys/fs/selinux/enforce)" = 1 ]

# expect STATUS PART COMMAND…: how it ends and what it says. By a pipe: the domain may not write to files of this folder.
expect() {
  wanted=$1 part=$2
  shift 2
  {
    status=0
    "$@" 2>&1 || status=$?
    echo "$status" >status
  } | cat >out
  status=$(cat status)
  [ "$status" = "$wanted" ] || { echo "$*: $status instead of $wanted: $(cat out)"; exit 1; }
  case $(cat out) in
    *"$part"*) ;;
    *) echo "$*: '$part' is not in: $(cat out)"; exit 1 ;;
  esac
  echo "ok: $*: $status, $part"
}

echo "--- the host"
expect 0 'ok       SELinux          enforcing' cordon doctor
cordon doctor

echo "--- learning"
# What it makes must not be there: another check of this boot runs the same program.
rm -f /var/log/victim.log /var/lib/victim/state
cordon profile -o victim.recording.json -- /usr/sbin/victim
cp /usr/bin/sleep /usr/sbin/waiter
cordon profile -o waiter.recording.json -- /usr/sbin/waiter 1
for name in victim waiter; do
  cordon generate $name.recording.json --name $name --target refpolicy-debian12 -o $name.policy
done
cordon generate victim.recording.json --name absent --target refpolicy-debian12 -o absent.policy
rm -f /var/log/victim.log /var/lib/victim/state
expect 125 'semodule -i absent.policy/' cordon run --policy absent.policy -- /usr/sbin/victim
expect 0 'read-conf ok' cordon run --policy absent.policy --require landlock -- /usr/sbin/victim
rm -f /var/log/victim.log /var/lib/victim/state

echo "--- loading"
# A domain that cordon is started from here, but none that the module knows.
cat >launcher.cil <<'CIL'
(roletype system_r dpkg_t)
(allow kernel_t dpkg_t (process (transition siginh rlimitinh noatsecure)))
(allow dpkg_t bin_t (file (entrypoint execute getattr map open read)))
(allow dpkg_t victim_t (process (transition siginh rlimitinh noatsecure)))
CIL
semodule -i victim.policy/victim.cil waiter.policy/waiter.cil launcher.cil
restorecon -RF /usr/sbin/victim /usr/sbin/waiter /etc/victim /var/lib/victim /var/log
expect 125 '(allow dpkg_t victim_t (process2 (nnp_transition)))' runcon system_u:system_r:dpkg_t:s0 cordon run --policy victim.policy -- /usr/sbin/victim
expect 125 '(allow dpkg_t waiter_t (process (transition)))' runcon system_u:system_r:dpkg_t:s0 cordon run --policy waiter.policy -- /usr/sbin/waiter 1

echo "--- it works in its domain"
dmesg -C
expect 0 'bind-7777 ok' cordon run --policy victim.policy -- /usr/sbin/victim
cat out
grep -q "files are held by SELinux ($domain)" out
[ "$(grep -c ' ok$' out)" = 4 ]
[ "$(stat -c %C /var/log/victim.log)" = system_u:object_r:victim_log_t:s0 ]
if dmesg | grep 'avc:  denied.*scontext=[^ ]*victim_t'; then
  echo "the recorded behaviour was denied something"
  exit 1
fi

echo "--- what it was not seen doing is refused; the control is the same sandbox without the policy"
expect 0 'probe-shell ok' cordon run --network host --volume /var/log:/var/log --volume /var/lib/victim:/var/lib/victim --volume /etc/victim:/etc/victim -- /usr/sbin/victim probe
control=$(grep '^probe-.* ok$' out | cut -d' ' -f1)
expect 0 'probe-shell EACCES' cordon run --policy victim.policy -- /usr/sbin/victim probe
refused=$(grep '^probe-.* EACCES$' out | cut -d' ' -f1)
[ "$control" = "$refused" ] || { echo "control: $control; refused: $refused"; exit 1; }
echo "refused in the domain, and done without the policy: $(echo "$refused" | tr '\n' ' ')"
[ "$(echo "$refused" | wc -l)" = 6 ]
[ "$(dmesg | grep -c 'avc:  denied.*scontext=[^ ]*victim_t')" -ge 6 ]

echo "--- from a nosuid mount"
mount --bind /usr/sbin /usr/sbin
mount -o remount,bind,nosuid /usr/sbin
expect 0 'bind-7777 ok' cordon run --policy victim.policy -- /usr/sbin/victim
grep -q "files are held by SELinux ($domain)" out
umount /usr/sbin
# Another program is no entry of the domain.
expect 126 'SELinux may have refused' cordon run --policy victim.policy -- /bin/true

echo "--- who runs, detached, and what enters"
# What it was learned with differs in the seconds only.
cordon run -d --name waiter --policy waiter.policy -- /usr/sbin/waiter 600
pid=$(cordon inspect waiter --field pid)
waiter=$(cordon inspect waiter --field selinux_label)
[ "$(tr -d '\0\n' <"/proc/$pid/attr/current")" = "$waiter" ]
echo "ok: the process is in $waiter"
expect 0 "$waiter" cordon list -Z
expect 0 "system_u:object_r:tmp_t:s0" cordon inspect -Z waiter
cat out
cordon exec waiter -- /usr/sbin/waiter 600 &
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  # 0 until the process is known; then it has yet to execute.
  further=$(cordon inspect waiter --field entered.0.pid 2>/dev/null) && [ "$further" != 0 ] && break
  sleep 0.5
done
sleep 1
[ "$(tr -d '\0\n' <"/proc/$further/attr/current")" = "$waiter" ]
echo "ok: so is what entered"
cordon rm -f waiter
expect 0 '' cordon list -q

echo "--- volumes and memory with a label of their own"
cp /usr/bin/tee /usr/sbin/writer
mkdir -p /srv/learned /srv/volume /scratch
cordon profile -o writer.recording.json -- /usr/sbin/writer /srv/learned/file
cordon generate writer.recording.json --name writer --target refpolicy-debian12 -o writer.policy
cordon generate writer.recording.json --name boxed --target container:refpolicy-debian12 -o boxed.policy
semodule -i writer.policy/writer.cil
restorecon -F /usr/sbin/writer
before=$(stat -c %C /srv/volume)
# write PLACE POLICY OPTION…
write() {
  place=$1 policy=$2
  shift 2
  echo "$place" | cordon run --policy "$policy" "$@" -- /usr/sbin/writer "$place"
}
# Debian's policy has no types for containers: nothing is labelled with what the kernel would take for unlabeled_t.
for sharing in z Z; do
  expect 125 'semodule -i cordon_container.cil' write /srv/volume/file writer.policy --volume /srv/volume:/srv/volume:$sharing
done
[ "$(stat -c %C /srv/volume)" = "$before" ]
cat >writes.cil <<'CIL'
(typeattributeset mcs_constrained_type (writer_t))
(allow writer_t container_file_t (dir (add_name getattr search write)))
(allow writer_t container_file_t (file (append create getattr open write)))
CIL
semodule -i boxed.policy/cordon_container.cil writes.cil
label=system_u:object_r:container_file_t:s0
for pair in 1:c1,c2 3:c3,c4; do
  cp -r writer.policy "writer${pair%%:*}.policy"
  sed -i "s/:writer_t:s0\"/:writer_t:s0:${pair#*:}\"/" "writer${pair%%:*}.policy/config.json"
  grep -q ":writer_t:s0:${pair#*:}\"" "writer${pair%%:*}.policy/config.json"
done
expect 1 'Permission denied' write /srv/volume/file writer.policy --volume /srv/volume:/srv/volume
expect 0 '' write /srv/volume/file writer.policy --volume /srv/volume:/srv/volume:z
[ "$(stat -c %C /srv/volume) $(stat -c %C /srv/volume/file)" = "$label $label" ]
# Once it has the label, it needs no option; and every level may use it.
expect 0 '' write /srv/volume/file writer.policy --volume /srv/volume:/srv/volume
expect 0 '' write /srv/volume/file writer3.policy --volume /srv/volume:/srv/volume
expect 0 '' write /srv/volume/file writer1.policy --volume /srv/volume:/srv/volume:Z
[ "$(stat -c %C /srv/volume) $(stat -c %C /srv/volume/file)" = "$label:c1,c2 $label:c1,c2" ]
expect 0 '' write /srv/volume/file writer1.policy --volume /srv/volume:/srv/volume
expect 1 'Permission denied' write /srv/volume/file writer3.policy --volume /srv/volume:/srv/volume
expect 1 'Permission denied' write /srv/volume/file writer.policy --volume /srv/volume:/srv/volume
expect 0 '' write /srv/volume/file writer3.policy --volume /srv/volume:/srv/volume:z
[ "$(cat /srv/volume/file)" = /srv/volume/file ]
expect 2 'this folder of the system' write /srv/volume/file writer.policy --volume /srv:/srv:z
# A tmpfs has the label of what it covers, or what the configuration says.
expect 1 'Permission denied' write /scratch/file writer.policy --tmpfs /scratch
for quote in '' '\\"'; do
  cp -r writer.policy scratch.policy
  sed -i "s|\"mounts\": *\[|&{\"destination\": \"/scratch\", \"type\": \"tmpfs\", \"source\": \"tmpfs\", \"options\": [\"context=$quote$label:c1,c2$quote\"]},|" scratch.policy/config.json
  sed -i 's/:writer_t:s0"/:writer_t:s0:c1,c2"/' scratch.policy/config.json
  expect 0 '' write /scratch/file scratch.policy
  sed -i 's/:writer_t:s0:c1,c2"/:writer_t:s0:c3,c4"/' scratch.policy/config.json
  expect 1 'Permission denied' write /scratch/file scratch.policy
  rm -r scratch.policy
done

echo "--- permissive, SELinux holds nothing"
echo 0 >/sys/fs/selinux/enforce
expect 125 'SELinux is permissive here' cordon run --policy victim.policy --require selinux -- /usr/sbin/victim
expect 0 'limited  SELinux          permissive' cordon doctor
echo 1 >/sys/fs/selinux/enforce
expect 0 'bind-7777 ok' cordon run --policy victim.policy --require selinux -- /usr/sbin/victim
