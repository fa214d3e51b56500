#!/bin/sh
# The whole loop, as its user would go it: a module is learned from the victim, loaded into the kernel, and lets the victim work in its domain while it
# refuses everything else. The control is the same program in a domain that is not confined.
set -eu
label_files() { restorecon -RF /usr/sbin/victim /etc/victim /var/lib/victim /var/log; }
domain=system_u:system_r:victim_t:s0
[ "$(cat /sys/fs/selinux/enforce)" = 1 ]
echo "--- learning, generating, loading"
cordon profile -o victim.recording.json -- /usr/sbin/victim
cordon generate victim.recording.json --name victim --target refpolicy-debian12 -o victim.policy
rm /var/log/victim.log /var/lib/victim/state
semodule -i victim.policy/victim.cil
label_files
ls -Z /usr/sbin/victim /etc/victim/victim.conf

echo "--- unconfined: everything works"
/usr/sbin/victim probe | tee control.txt
[ "$(grep -c ' ok$' control.txt)" = 11 ]
rm -f /var/log/victim.log /var/lib/victim/state

echo "--- in its domain: what it was seen doing works"
dmesg -C
runcon "$domain" /usr/sbin/victim 2>&1 | tee confined.txt
[ "$(grep -c ' ok$' confined.txt)" = 4 ]
[ "$(wc -l <confined.txt)" = 4 ]
[ "$(stat -c %C /var/log/victim.log)" = system_u:object_r:victim_log_t:s0 ]
if dmesg | grep 'avc:  denied.*victim_t:s0'; then
  echo "the recorded behaviour was denied something"
  exit 1
fi

echo "--- in its domain: anything else is refused"
runcon "$domain" /usr/sbin/victim probe 2>&1 | tee probes.txt
[ "$(grep -c ' ok$' probes.txt)" = 4 ]
[ "$(grep -c '^probe-.* EACCES$' probes.txt)" = 7 ]
dmesg | grep -c 'avc:  denied'
