#!/bin/bash
# lifecycle_test.sh BUILD_DIR: what list, inspect, exec and kill say of a running sandbox and do to it, and what they leave.
# Whatever another lists removes what a killed supervisor left, which is to be seen here.
if ((EUID == 0)) && [[ -z ${CORDON_OWN_MOUNTS:-} ]]; then
  CORDON_OWN_MOUNTS=yes exec unshare --mount --propagation private bash "$0" "$@"
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
cordon=${cordon:?} victims=${victims:?}
need_programs setpriv
cd "$work"
cp "$victims/syscall_probe" .
echo first >readable
# Beside the folder of the service, so that a rule of its own is made for it.
conf=$(mktemp -d /var/tmp/cordon-conf.XXXXXX)
at_end rm -rf "$conf" "$conf.old"
echo third >"$conf/file"
folder=/run/cordon
as=()
if ((EUID != 0)); then
  folder=${XDG_RUNTIME_DIR:-/tmp/cordon-$EUID}
  [[ -z ${XDG_RUNTIME_DIR:-} ]] || folder=$XDG_RUNTIME_DIR/cordon
else
  install -d -m 700 $folder
  mount -t tmpfs -o mode=700 cordon $folder
fi
# An ordinary user may run others meanwhile.
a=a-$$ b=b-$$ c=c-$$

pid_of() { "${as[@]}" "$cordon" inspect "$1" --field pid 2>/dev/null; }
begun() { [[ $(pid_of "$1") -gt 0 ]]; }
is_listed() { "${as[@]}" "$cordon" list -q | grep -qx -- "$1"; }
not_listed() { ! is_listed "$1"; }
# status_of COMMAND…: its exit status in $status, what it said in the files out and err.
status_of() {
  status=0
  "$@" >out 2>err || status=$?
}
namespace() { readlink "/proc/$1/ns/$2"; }
status_line() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }

# The workload as it is learned: it waits, reads one file, and makes one of the probe's calls.
cat >service <<'SH'
#!/bin/sh
cat readable "$2/file" >/dev/null
./syscall_probe read=readable >/dev/null
while sleep 0.1; do [ ! -e "$1" ] || break; done
SH
chmod +x service
touch now
"$cordon" profile -o service.json -- ./service now "$conf" 2>/dev/null || die "the service cannot be learned"
"$cordon" generate service.json --name service -o policy 2>/dev/null || die "nothing can be generated"

# 1. A sandbox under its policy, and one without.
start_server "$work/log.a" "$cordon" run --name "$a" --policy policy -- ./service never "$conf"
supervisor=$server
start_server "$work/log.b" "$cordon" run --name "$b" --memory 64M -- sleep 1000
wait_for "the first workload" 20 begun "$a"
wait_for "the second workload" 20 begun "$b"
expect_equal "who supervises" "$supervisor" "$("$cordon" inspect "$a" --field supervisor)"
table=$("$cordon" list)
expect_contains "the list shows the command" "./service never" "$table"
expect_contains "and names it" "$a " "$table"
expect_equal "as JSON, it is an array of what inspect says" "$a $b" \
  "$("$cordon" list --json | /usr/bin/python3 -I -c "import json, sys; print(*sorted(s['name'] for s in json.load(sys.stdin) if s['name'].endswith('-$$')))")"
first=$(pid_of "$a")
for kind in mnt pid net uts ipc; do
  expect_equal "inspect's $kind namespace is the workload's" "$(namespace "$first" $kind)" "$("$cordon" inspect "$a" --field namespaces.$kind)"
  [[ $(namespace "$first" $kind) != "$(namespace self $kind)" ]] || die "control: the $kind namespace is the host's"
done
expect_equal "inspect knows the policy" policy "$("$cordon" inspect "$a" --field policy)"
status_of "$cordon" inspect "$a" --field namespaces.moon
expect_equal "a field that is not there" 2 "$status"
expect_contains "is told with what there is" "there is: ipc, mnt, net, pid, uts" "$(cat err)"

# 2. exec: inside, and held as the workload is.
"$cordon" exec "$a" -- sleep 1000 &
waiter=$!
entered() { "$cordon" inspect "$a" --field entered.0.pid | grep -x "[1-9][0-9]*"; }
wait_for "the further command" 20 entered
further=$(entered)
for kind in mnt pid net uts ipc; do
  expect_equal "a further command is in the workload's $kind namespace" "$(namespace "$first" $kind)" "$(namespace "$further" $kind)"
done
for line in Seccomp NoNewPrivs CapEff CapBnd CapPrm Uid Gid; do
  expect_equal "and has its $line" "$(status_line "$first" $line)" "$(status_line "$further" $line)"
done
session() { /usr/bin/python3 -I -c "import os; print(os.getsid($1))"; }
[[ $(session "$first") != "$(session "$further")" ]] || die "a further command is in the session of cordon run, whose Ctrl-C would end it"
ok "but a session of its own"
expect_equal "and its limits" "$(cat "/proc/$first/limits")" "$(cat "/proc/$further/limits")"
kill -TERM $waiter
status=0
wait $waiter || status=$?
expect_equal "a signal reaches it and its status comes back" 143 $status
status_of "$cordon" exec "$a" -- cat readable
expect_equal "it reads what the policy allows" "0 first" "$status $(cat out)"
status_of "$cordon" exec "$a" -- cat /etc/debian_version
if [[ $(cat log.a) == *"Landlock"* ]]; then
  expect_equal "and nothing else" "1 " "$status $(cat out)"
fi
# What a rule was made for when the sandbox began counts, not what is called so by now.
mv "$conf" "$conf.old"
ln -s /etc "$conf"
status_of "$cordon" exec "$a" -- cat /etc/debian_version
if [[ $(cat log.a) == *"Landlock"* ]]; then
  expect_equal "nor where a rule's folder has become a link to" "1 " "$status $(cat out)"
fi
status_of "$cordon" exec "$b" -- cat /etc/debian_version
expect_equal "control: without a policy it does" "0 $(cat /etc/debian_version)" "$status $(cat out)"
status_of "$cordon" exec "$a" -- ./syscall_probe read=readable ptrace
expect_equal "its calls are refused as the workload's" "0 read ok ptrace EPERM" "$status $(tr '\n' ' ' <out | sed 's/ $//')"
wait_for "a report of the violation" 20 grep -q 'ptrace' log.a
ok "and reported"
[[ $("$cordon" inspect "$a" --field violations) -gt 0 ]] || die "the violation was not counted"
status_of "$cordon" exec "$b" -- ./syscall_probe ptrace
expect_equal "control: without a policy the call is made" "0 ptrace ok" "$status $(cat out)"

# 3. What a command takes and gives.
expect_equal "standard input is the client's" typed "$(echo typed | "$cordon" exec "$b" -- cat)"
# shellcheck disable=SC2016  # for the inner shell
expect_equal "variables and folder" "red /usr" "$("$cordon" exec --env COLOUR=red --workdir /usr "$b" -- sh -c 'echo $COLOUR $PWD')"
expect_equal "words that begin like options stay" "-n [a,b]" "$("$cordon" exec "$b" printf '%s %s' -n '[a,b]')"
status_of "$cordon" exec "$b" -- sh -c 'exit 3'
expect_equal "an exit status comes back" 3 "$status"
status_of "$cordon" exec "$b" -- /etc/hostname
expect_equal "what may not be executed" 126 "$status"
status_of "$cordon" exec "$b" -- nosuch
expect_equal "what is not there" 127 "$status"
if ((EUID == 0)); then
  "$cordon" exec "$b" -- sleep 1000 &
  waiter=$!
  entered() { "$cordon" inspect "$b" --field entered.0.pid | grep -x "[1-9][0-9]*"; }
  wait_for "the further command" 20 entered
  cgroup=$("$cordon" inspect "$b" --field cgroups.0)
  expect_equal "a further command is in the sandbox's cgroup" "$(entered)" "$(grep -x "$(entered)" "$cgroup/cgroup.procs")"
  # The client dies: its command does not go on without it.
  further=$(entered)
  kill -KILL $waiter
  wait $waiter 2>/dev/null || true
  wait_for "the end of a killed client's command" 20 gone "$further"
  ok "a client that is killed takes its command with it"
  expect_equal "the sandbox goes on" "$b" "$("$cordon" inspect "$b" --field name)"
fi

# 4. Paused, nothing in it runs.
if ((EUID == 0)); then
  # shellcheck disable=SC2016  # for the inner shell
  start_server "$work/log.p" "$cordon" run --name "p-$$" --pids 20 --volume "$work:/mnt" -- sh -c 'while :; do echo x >>/mnt/ticks; sleep 0.02; done'
  paused=$server
  wait_for "the ticks" 20 test -s ticks
  "$cordon" pause "p-$$"
  before=$(wc -l <ticks)
  sleep 0.5
  expect_equal "a paused workload does nothing" "$before" "$(wc -l <ticks)"
  expect_equal "and is called paused" paused "$("$cordon" inspect "p-$$" --field status)"
  status_of "$cordon" exec "p-$$" -- true
  expect_equal "nothing can enter it" 125 "$status"
  expect_contains "and the sentence says why" "resume it first" "$(cat err)"
  "$cordon" resume "p-$$"
  goes_on() { (($(wc -l <ticks) > before + 3)); }
  wait_for "ticks after it was resumed" 20 goes_on
  ok "resumed, it goes on"
  "$cordon" pause "p-$$"
  "$cordon" kill -s KILL "p-$$"
  wait_for "the end of a paused sandbox" 20 gone "$paused"
  ok "a paused sandbox can be killed"
  start_server "$work/log.p" "$cordon" run --name "p-$$" --pids 20 -- sleep 1000
  paused=$server
  wait_for "the workload" 20 begun "p-$$"
  first=$(pid_of "p-$$")
  # On v1 nothing dies that is frozen: the supervisor must not wait for what it has killed.
  "$cordon" exec "p-$$" -- sleep 1000 &
  waiter=$!
  entered() { "$cordon" inspect "p-$$" --field entered.0.pid | grep -x "[1-9][0-9]*"; }
  wait_for "the further command" 20 entered
  further=$(entered)
  "$cordon" pause "p-$$"
  kill -KILL $waiter
  wait $waiter 2>/dev/null || true
  expect_equal "it answers when the client of a paused command was killed" paused "$("$cordon" inspect "p-$$" --field status)"
  "$cordon" resume "p-$$"
  wait_for "the end of the killed client's command" 20 gone "$further"
  ok "whose command ends when it is resumed"
  # At any point of the way in: what is not let go ends with who would have done it.
  cgroup=$("$cordon" inspect "p-$$" --field cgroups.0)
  before=$(<"$cgroup/cgroup.procs")
  for _ in {1..30}; do
    "$cordon" exec "p-$$" -- sleep 1000 2>/dev/null &
    waiter=$!
    sleep "0.0$(printf %02d $((RANDOM % 30)))"
    kill -KILL $waiter 2>/dev/null || true
    wait $waiter 2>/dev/null || true
  done
  alone() { [[ $(<"$cgroup/cgroup.procs") == "$before" ]]; }
  wait_for "the end of all commands whose clients were killed" 20 alone
  ok "of thirty commands whose clients were killed at random points none is left"
  "$cordon" pause "p-$$"
  kill -KILL "$paused"
  wait_for "the end of a paused workload whose supervisor was killed" 20 gone "$first"
  no_cgroup() { [[ -z $(find /sys/fs/cgroup -maxdepth 6 -type d -name "cordon-$paused-*") ]]; }
  wait_for "the removal of its cgroups" 20 no_cgroup
  ok "a killed supervisor leaves nothing frozen"
  start_server "$work/log.p" "$cordon" run --name "q-$$" -- sleep 1000
  wait_for "the workload" 20 begun "q-$$"
  status_of "$cordon" pause "q-$$"
  expect_equal "without a cgroup" 125 "$status"
  expect_contains "it says what to do" "--pids" "$(cat err)"
fi

# 5. What runs inside has no say.
expect_equal "the places of sandboxes are not seen inside" "" "$("$cordon" exec "$b" -- ls "$folder")"
[[ -S $folder/$b/control ]] || die "control: outside there is no socket"
cat >ask.py <<'PY'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1])
s.settimeout(20)
try:
    s.send(b'{"request":"signal","signal":9}' if sys.argv[2] == "kill" else b'{"request":"inspect"}')
    print(len(s.recv(1 << 17)) > 100)
except (BrokenPipeError, ConnectionResetError):
    print(False)
PY
start_server "$work/log.c" "$cordon" run --name "$c" --volume "$folder/$b:/mnt" -- sleep 1000
wait_for "the third workload" 20 begun "$c"
expect_equal "a supervisor does not hear what asks from another pid namespace" False "$("$cordon" exec "$c" -- /usr/bin/python3 -I "$PWD/ask.py" /mnt/control kill)"
expect_equal "control: from outside it answers" True "$(/usr/bin/python3 -I ask.py "$folder/$b/control" inspect)"
is_listed "$b" || die "it was killed from inside"
ok "and its workload lives"
for message in 'no json' '{}' '{"request":"moon"}' '{"request":"signal","signal":99}' '{"request":"exec","arguments":[],"environment":[],"working_directory":[]}' \
  '{"request":"exec","arguments":["true"],"environment":[],"working_directory":[]}'; do
  answer=$(/usr/bin/python3 -I -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1]); s.send(sys.argv[2].encode()); print(s.recv(1 << 17).decode())' "$folder/$b/control" "$message")
  expect_contains "'$message' is refused with a reason" '{"error":' "$answer"
done

# 6. Names.
for name in .hidden a/b "$(printf 'x%.0s' {1..65})" 'a b'; do
  status_of "$cordon" run --name "$name" -- true
  expect_equal "'${name:0:10}' is no name" 2 "$status"
done
status_of "$cordon" run --name "$b" -- true
expect_equal "a name is given once" 2 "$status"
expect_contains "and the sentence says so" "a sandbox called '$b' is running" "$(cat err)"
status_of "$cordon" exec "nobody-$$" -- true
expect_equal "a sandbox that is not there" 125 "$status"
expect_contains "is told with what there is" "$a" "$(cat err)"

# 7. The end.
start_server "$work/log.e" "$cordon" run --name "e-$$" --policy policy -- ./service never "$conf"
wait_for "one more workload" 20 begun "e-$$"
"$cordon" exec "e-$$" -- ./syscall_probe read=readable ptrace ptrace >out
expect_equal "a further command's call is refused twice" 2 "$(grep -c "ptrace EPERM" out)"
"$cordon" kill "e-$$"
wait_for "its end" 20 not_listed "e-$$"
wait_for "the last line: $(cat log.e)" 20 grep -q "2 violations in all, 1 of them not reported one by one" log.e
ok "what further commands are refused counts at the end, too"
"$cordon" exec "$c" -- sleep 1000 &
waiter=$!
entered() { "$cordon" inspect "$c" --field entered.0.pid | grep -x "[1-9][0-9]*"; }
wait_for "the further command" 20 entered
"$cordon" kill "$c"
status=0
wait $waiter || status=$?
expect_equal "a command ends with its sandbox" 137 $status
wait_for "the end of the third" 20 not_listed "$c"
[[ ! -e $folder/$c ]] || die "its place is left"
ok "kill ends a workload, and its place is gone"
status_of "$cordon" kill "$b" --signal MOON
expect_equal "no such signal" 2 "$status"
further=$(pid_of "$b")
kill -KILL "$(status_line "$further" PPid)"
wait_for "the end of the second" 20 not_listed "$b"
# The supervisor, killed: what it left is removed by who looks next.
first=$(pid_of "$a")
kill -KILL "$supervisor"
wait_for "the end of the workload" 20 gone "$first"
[[ -e $folder/$a ]] || die "control: a killed supervisor removed its place"
wait_for "the removal of what it left" 20 not_listed "$a"
[[ ! -e $folder/$a ]] || die "what a killed supervisor left stays"
ok "what a killed supervisor left is removed"
status_of "$cordon" run --name "$a" -- true
expect_equal "and its name is free" 0 "$status"

# 8. An ordinary user's.
if ((EUID == 0)); then
  as=(env -u XDG_RUNTIME_DIR setpriv --reuid 65534 --regid 65534 --clear-groups)
  at_end rm -rf /tmp/cordon-65534
  start_server "$work/log.d" "${as[@]}" "$cordon" run --name "$a" -- sleep 1000
  wait_for "an ordinary user's workload" 20 begun "$a"
  expect_equal "is root inside" 0 "$("${as[@]}" "$cordon" exec "$a" -- id -u)"
  first=$(pid_of "$a")
  expect_equal "and in a user namespace" "$(namespace "$first" user)" "$("${as[@]}" "$cordon" inspect "$a" --field namespaces.user)"
  not_listed_by_root() { ! "$cordon" list -q | grep -qx "$a"; }
  not_listed_by_root || die "root's list shows another user's"
  "${as[@]}" "$cordon" kill "$a" -s KILL
  wait_for "its end" 20 not_listed "$a"
  ok "an ordinary user's sandboxes are the user's own"
  # A folder that others may write in is not trusted.
  rm -rf /tmp/cordon-65534
  install -d -m 777 -o 65534 /tmp/cordon-65534
  status_of "${as[@]}" "$cordon" run --name "$a" -- true
  expect_equal "a place that others may write in is refused" 125 "$status"
fi
echo "ok: $checks checks"
