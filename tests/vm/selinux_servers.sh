#!/bin/bash
# Programs that were learned on a host without SELinux (servers/learn.sh) run in the domains of their modules, enforcing, under the load that they
# were learned under: nothing that they do is denied. An intruder in the same domain is denied thirteen acts, less those that its work consists of (NAME_may, at most three),
# each of which it can do outside of it.
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/vm/servers/workloads.sh
source ./workloads.sh
failed=0
fail() {
  echo "not ok: $*"
  failed=1
}
context() { echo "system_u:system_r:vm_$1_t:s0"; }
# denials DOMAIN
denials() { dmesg | grep 'avc:  denied' | grep "scontext=[^ ]*:vm_$1_t:"; }

echo "--- loading at $(cut -d' ' -f1 /proc/uptime) s"
# Lets the control make code writable; our domains are none that this is for.
setsebool allow_execmem on
grep -qs localhost /etc/hosts || echo '127.0.0.1 localhost' >>/etc/hosts
id redis >/dev/null 2>&1 || useradd --system --no-create-home redis
modules=()
for name in "${workloads[@]}"; do
  "${name}_prepare" || exit 1
  module=prepared/$name.policy/vm_$name
  [[ -e $module.cil ]] && modules+=("$module.cil") || modules+=("$module.pp")
done
semodule -i "${modules[@]}" || exit 1
restorecon -RF /etc /srv /var /run /usr/local /usr/sbin /usr/bin 2>&1 | grep -v '^$' | head -n 5

# What file contexts name in full is labelled so.
for name in "${workloads[@]}"; do
  while read -r path context; do
    path=${path//\\/}
    [[ ! -e $path || $(stat -c %C "$path") == "$context" ]] || fail "$path is labelled $(stat -c %C "$path"), not $context"
    [[ ! -e $path ]] || echo "labelled as vm_$name.fc says: $path"
  done < <(grep -E '^/[^(*?[ ]*[[:space:]]+system_u' "prepared/$name.policy/vm_$name.fc")
done

# in_domain NAME COMMAND…: by the user of NAME, in /, where it was learned; takes the place of this shell
in_domain() {
  local -n domain_user=${1}_user
  local domain
  domain=$(context "$1")
  shift
  cd / && unset OLDPWD # which bash looks at
  LD_PRELOAD=/usr/local/lib/intruder.so exec setpriv --reuid="$domain_user" --regid="$domain_user" --init-groups runcon "$domain" "$@"
}

for name in "${workloads[@]}"; do
  declare -n command=${name}_command
  echo "--- $name at $(cut -d' ' -f1 /proc/uptime) s"
  dmesg -C
  # Through a pipe: a file of ours is none that the domain may write to.
  in_domain "$name" "${command[@]}" </dev/null > >(cat >"$name.out") 2>&1 &
  server=$!
  "${name}_load" >"$name.load" 2>&1 || fail "$name does not work: $(tail -n 3 "$name.load"; tail -n 5 "/var/log/$name"/*.log 2>/dev/null)"
  if declare -F "${name}_strain" >/dev/null; then
    "${name}_strain" >>"$name.load" || fail "$name does not stand more than it was learned with: $(tail -n 5 "$name.out")"
  fi
  attribute=$(tr -d '\0' 2>/dev/null <"/proc/$server/attr/current")
  "${name}_stop" "$server"
  wait "$server"
  status=$?
  [[ $status == 0 || $name == webapp || ($name == dropbear && $status == 1) ]] || fail "$name ended with $status: $(tail -n 3 "$name.out")"
  # A script of a moment may be over by then, or not begun: of it the intruder shows the domain.
  [[ $name == chores || $attribute == "$(context "$name")" ]] || fail "$name ran as ${attribute:-(over)}"
  echo "$name ran as ${attribute:-(over)}, and said: $(tail -n 2 "$name.load" | tr '\n' ' ')"
  if denials "$name" | sed 's/.*avc: //' | sort | uniq | head -n 12 | grep .; then
    fail "$name was denied what it had been seen doing"
  fi
done
stat -c '%C %n' /var/lib/redis/dump.rdb /var/log/nginx/access.log /srv/webapp/data/* /var/lib/chores/day.tar.gz 2>&1

for name in "${workloads[@]}"; do
  declare -n probe=${name}_probe intruder=${name}_intruder may=${name}_may
  echo "--- the intruder in $name at $(cut -d' ' -f1 /proc/uptime) s"
  export CORDON_INTRUDE=$intruder LD_PRELOAD=/usr/local/lib/intruder.so
  "${probe[@]}" >"$name.control" 2>&1 </dev/null
  dmesg -C
  runcon "$(context "$name")" "${probe[@]}" 2>&1 </dev/null | cat >"$name.intruder"
  unset CORDON_INTRUDE LD_PRELOAD
  paste -d' ' "$name.control" "$name.intruder"
  [[ $(grep -c ' ok$' "$name.control") == 13 ]] || fail "$name: the control cannot do all: $(cat "$name.control")"
  allowed=$(sed -n 's/ ok$//p' "$name.intruder" | sort | tr '\n' ' ')
  expected=$(tr ' ' '\n' <<<"$may" | grep . | sort | tr '\n' ' ')
  [[ $allowed == "$expected" ]] || fail "$name: the intruder may: $allowed"
  [[ $(grep -cE ' (EACCES|EPERM)$' "$name.intruder") == $((13 - $(wc -w <<<"$expected"))) ]] || fail "$name: $(cat "$name.intruder")"
  denials "$name" | sed 's/.*avc:  denied  //' | cut -c1-150 | head -n 20
done

echo "--- removal at $(cut -d' ' -f1 /proc/uptime) s"
semodule -r "${workloads[@]/#/vm_}" || fail "the modules cannot be removed"
restorecon -RF /etc /srv /var /run /usr/local /usr/sbin /usr/bin
find /etc /srv /var /run /usr/local /usr/sbin -context '*:vm_*' 2>/dev/null | head -n 5 >left
[[ ! -s left ]] || fail "files keep a type of a removed module: $(cat left)"
exit $failed
