#!/bin/bash
# private_network_test.sh BUILD_DIR: --network private as root (veth and nftables) and as an ordinary user (pasta), each seen from inside,
# from the host and from another machine. "The host" is a network namespace of this test's own.
if ((EUID == 0)) && [[ -z ${CORDON_OWN_NETWORK:-} ]]; then
  CORDON_OWN_NETWORK=yes exec unshare --net --mount --propagation private bash "$0" "$@"
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
need_root
need_programs ip nft nsenter pasta setpriv /usr/bin/python3
cordon=${cordon:?} work=${work:?}
ordinary=(setpriv --reuid 65534 --regid 65534 --clear-groups env "XDG_RUNTIME_DIR=$work/runtime" "TMPDIR=$work/runtime")
install -d -o 65534 -g 65534 -m 700 "$work/runtime"
cp "$here/net_peer.py" "$work/"
# Its own place for sandboxes: another test's may hold what this one's `list` would clean up.
install -d -m 700 /run/cordon
mount -t tmpfs -o mode=700 cordon /run/cordon
peer=(/usr/bin/python3 "$work/net_peer.py")
host=10.99.0.1 machine=10.99.0.2

# The other machine: a network namespace that a sleeping process keeps.
unshare --net sleep 1000 &
other=$!
at_end stop_pid "$other"
on_machine() { nsenter --net="/proc/$other/ns/net" "$@"; }
own_network() { [[ $(readlink "/proc/$1/ns/net") != "$(readlink /proc/self/ns/net)" ]]; }
wait_for "another network namespace" 10 own_network "$other"
ip link set lo up
ip link add test-host type veth peer name eth0 netns "$other"
ip addr add $host/24 dev test-host
ip link set test-host up
on_machine ip link set lo up
on_machine ip addr add $machine/24 dev eth0
on_machine ip link set eth0 up

ready() { grep -qx ready "$1"; }
# serve LOG COMMAND…: a server, running
serve() {
  start_server "$@"
  wait_for "the server of $1" 20 ready "$1"
}
ask() { "${peer[@]}" ask "$@" 2>&1; }
machine_asks() { on_machine "${peer[@]}" ask "$@" 2>&1; }
answer() { "$@" 2>&1 || true; }
refused() { [[ $(answer machine_asks tcp $host 8080) == *refused* ]]; }
devices() { ip -o link | grep -c cordon- || true; }
tables() { nft list tables | grep -c cordon- || true; }
have() { [[ $("$1") == "$2" ]]; }
sandboxes=0

# By nsenter itself: of a function in the background, the shell would be stopped, and the server go on.
PEER=machine serve "$work/machine-tcp" nsenter --net="/proc/$other/ns/net" "${peer[@]}" serve tcp $machine 7000
PEER=machine serve "$work/machine-udp" nsenter --net="/proc/$other/ns/net" "${peer[@]}" serve udp $machine 7000
PEER=loopback serve "$work/loopback" "${peer[@]}" serve tcp 127.0.0.1 7001
expect_equal "control: the host reaches the machine" "machine sees $host" "$(ask tcp $machine 7000)"
expect_equal "control: and its own loopback address" "loopback sees 127.0.0.1" "$(ask tcp 127.0.0.1 7001)"
expect_contains "control: nothing answers at the port before" "refused" "$(answer machine_asks tcp $host 8080)"

# sandbox OPTIONS… -- COMMAND…: in a private network as ${caller[@]}, in the background; its name in $name.
sandbox() {
  name=net-$$-$((++sandboxes))
  start_server "$work/$name" "${caller[@]}" "$cordon" run --name "$name" --network private "$@"
}
running() { "${caller[@]}" "$cordon" list -q | grep -qx "$name"; }
inside() { "${caller[@]}" "$cordon" exec "$name" -- "$@" 2>&1; }
stop_sandbox() {
  "${caller[@]}" "$cordon" kill "$name" -s KILL
  wait_for "the end of $name" 20 gone "$server"
}

as_root_only() {
  local address second
  PEER=sandbox sandbox --publish 8080:80 --publish 5353:53/udp --publish 127.0.0.1:8081:80 -- \
    sh -c "/usr/bin/python3 $work/net_peer.py serve udp 0.0.0.0 53 & exec /usr/bin/python3 $work/net_peer.py serve tcp 0.0.0.0 80"
  wait_for "the sandbox's servers" 20 ready "$work/$name"
  address=$("$cordon" inspect "$name" --field address)
  expect_contains "inside: it has an address of its own" "inet $address/32" "$(inside ip -4 addr show eth0)"
  expect_contains "outside: the host has a route to it" "$address dev cordon-" "$(ip route)"
  expect_equal "the machine reaches the TCP port, and is seen by its own address" "sandbox sees $machine" "$(machine_asks tcp $host 8080)"
  expect_equal "and the UDP port" "sandbox sees $machine" "$(machine_asks udp $host 5353)"
  expect_contains "the host reaches it at its address" "sandbox sees" "$(ask tcp $host 8080)"
  expect_contains "and at 127.0.0.1" "sandbox sees" "$(ask tcp 127.0.0.1 8080)"
  expect_contains "and by UDP" "sandbox sees" "$(ask udp 127.0.0.1 5353)"
  expect_contains "a port of 127.0.0.1: from the host" "sandbox sees" "$(ask tcp 127.0.0.1 8081)"
  expect_contains "not from the machine" "no answer" "$(answer machine_asks tcp $host 8081)"
  expect_equal "from inside: the machine sees the host's address" "machine sees $host" "$(inside "${peer[@]}" ask tcp $machine 7000)"
  expect_equal "by UDP too" "machine sees $host" "$(inside "${peer[@]}" ask udp $machine 7000)"
  expect_contains "it reaches itself through the published port" "sandbox sees" "$(inside "${peer[@]}" ask tcp $host 8080)"

  # What it must not: as root in its network namespace, with more than the workload has.
  local pid
  pid=$("$cordon" inspect "$name" --field pid)
  in_network() { nsenter --net="/proc/$pid/ns/net" "$@"; }
  in_network sh -c 'echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet'
  in_network ip addr del 127.0.0.1/8 dev lo
  in_network ip route add 127.0.0.1/32 via 169.254.1.1 dev eth0
  expect_contains "the host's loopback address is out of reach, whatever its routes" "no answer" \
    "$(answer in_network "${peer[@]}" ask tcp 127.0.0.1 7001)"
  nft delete rule ip "$(ip -o link | grep -o 'cordon-[0-9a-f]*')" guard handle 1 2>"$work/owned" || true
  expect_contains "nobody else changes its rules" "not permitted" "$(<"$work/owned")"

  local first=$name first_server=$server
  sandbox -- sleep 1000
  wait_for "a second sandbox" 20 running
  second=$("$cordon" inspect "$name" --field address)
  [[ $second != "$address" ]] || die "both have the address $address"
  ok "another sandbox has another address"
  stop_sandbox
  wait_for "the first one's device alone" 10 have devices 1
  status=0
  "$cordon" run --network private --publish 8080:80 -- true 2>"$work/taken" || status=$?
  expect_equal "a port that is taken: exit 125" 125 $status
  expect_contains "and the port is named" "port 8080 of the host: Address already in use" "$(<"$work/taken")"
  name=$first server=$first_server
}

as_ordinary_only() {
  PEER=sandbox sandbox --publish 8080:8080 --publish 5353:5353/udp -- \
    sh -c "/usr/bin/python3 $work/net_peer.py serve udp 0.0.0.0 5353 & exec /usr/bin/python3 $work/net_peer.py serve tcp 0.0.0.0 8080"
  wait_for "the sandbox's servers" 20 ready "$work/$name"
  expect_contains "inside: it has an address of its own" "inet $("${caller[@]}" "$cordon" inspect "$name" --field address)/24" \
    "$(inside ip -4 addr show eth0)"
  expect_contains "the machine reaches the TCP port" "sandbox sees" "$(machine_asks tcp $host 8080)"
  expect_contains "and the UDP port" "sandbox sees" "$(machine_asks udp $host 5353)"
  expect_contains "the host reaches it at 127.0.0.1" "sandbox sees" "$(ask tcp 127.0.0.1 8080)"
  expect_equal "from inside: the machine sees the host's address" "machine sees $host" "$(inside "${peer[@]}" ask tcp $machine 7000)"
  expect_equal "by UDP too" "machine sees $host" "$(inside "${peer[@]}" ask udp $machine 7000)"
  for address in 127.0.0.1 10.214.0.1; do
    expect_contains "the host's loopback address is not behind $address" "no answer" "$(answer inside "${peer[@]}" ask tcp $address 7001)"
  done
}

caller=(env)
as_root_only
before=$(tables)
kill -KILL "$server"
wait_for "the end of its device" 20 have devices 0
wait_for "the end of its rules" 20 have tables 0
expect_equal "killed, cordon leaves no rule (it had this many tables)" 1 "$before"
wait_for "the end of the published port" 10 refused

caller=("${ordinary[@]}")
status=0
ip route add default via $machine
mknod -m 600 "$work/tun" c 10 200
mount --bind "$work/tun" /dev/net/tun
"${caller[@]}" "$cordon" run --network private -- true 2>"$work/closed" || status=$?
expect_equal "no access to /dev/net/tun: exit 125" 125 $status
expect_contains "and it is named" "needs /dev/net/tun (Permission denied)" "$(<"$work/closed")"
chmod 666 "$work/tun"
status=0
"${caller[@]}" PATH=/nowhere "$cordon" run --network private -- /bin/true 2>"$work/absent" || status=$?
expect_equal "no pasta: exit 125" 125 $status
expect_contains "and it is named" "pasta cannot be run: it is not installed" "$(<"$work/absent")"
as_ordinary_only
pasta_runs() { pgrep -f "^pasta .*$work/runtime" >/dev/null; }
pasta_runs || die "there is no pasta to look for"
kill -KILL "$server"
pasta_over() { ! pasta_runs; }
wait_for "the end of pasta, after that of a killed cordon" 20 pasta_over
ok "killed, cordon leaves no pasta"
wait_for "the end of the published port" 10 refused

# All together, without any privilege: learned, and held in two phases by seccomp and Landlock, in a network of its own.
cp "${victims:?}/two_phases" "$work/two_phases"
cd "$work/runtime"
"${caller[@]}" "$cordon" profile --quiet -o all.json --serving-when listen -- "$work/two_phases" listen learn >/dev/null
"${caller[@]}" "$cordon" generate all.json --name all --runtime cordon -o all.policy 2>/dev/null
mkfifo hold
exec {hold}<>hold
"${caller[@]}" "$cordon" run --name all --network private --policy all.policy --serving-when listen -- "$work/two_phases" listen probe stay \
  <&"$hold" >all.log 2>&1 &
server=$!
at_end stop_pid "$server"
wait_for "all together" 30 grep -q "main stays" all.log
expect_contains "all together: an address of its own" 10.214. "$("${caller[@]}" "$cordon" inspect all --field address)"
held=$(<"/proc/$("${caller[@]}" "$cordon" inspect all --field pid)/status")
expect_contains "an ordinary user" $'Uid:\t65534\t65534' "$held"
expect_contains "under a filter" $'Seccomp:\t2' "$held"
expect_contains "and Landlock" "files are held by Landlock" "$(<all.log)"
expect_contains "the start may what it needs" "start execve ok" "$(<all.log)"
expect_contains "and what serves may not" "late-child execve EPERM" "$(<all.log)"
stop_pid "$server" KILL
cd "$work"

status=0
"$cordon" run --network none --publish 53:53/udp -- true 2>"$work/none" || status=$?
expect_contains "UDP without a network of its own (exit $status)" "with --network private only" "$(<"$work/none")"
echo "ok: $checks checks"
