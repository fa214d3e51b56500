#!/bin/bash
# oci_malicious_test.sh BUILD_DIR: bundles and images made to get at the host, after what became CVEs of other runtimes. Each has its control: the same without
# the trick works, or the trick works where there is no runtime.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
# shellcheck source=tests/runtime/oci_bundle.sh
source "$here/oci_bundle.sh"
need_root
need_programs /usr/bin/python3 busybox setpriv

make_root "$work/clean" /bin/cat /bin/ls /usr/bin/stat /bin/readlink /usr/bin/id /bin/sleep
mkdir "$work/outside"
echo host >"$work/outside/marker"
outside() { (cd "$work/outside" && find . -printf '%P %y %s\n' | sort); }
untouched=$(outside)

# fresh: a root as it was.
fresh() {
  rm -rf "$work/root"
  cp -a "$work/clean" "$work/root"
}
# attempt NAME EDIT: $status and $said of the bundle's run.
attempt() {
  rm -rf "${work:?}/$1"
  make_bundle "$1" "$2"
  status=0
  said=$(oci run --bundle "$work/$1" "$1" </dev/null 2>&1) || status=$?
  oci delete --force "$1"
}
expect_failed() {
  [[ $status != 0 ]] || die "$1: it ran: $said"
  expect_equal "$1" "$untouched" "$(outside)"
}
expect_ran() {
  [[ $status == 0 ]] || die "$1: $said"
  expect_equal "$1" "$untouched" "$(outside)"
}

# CVE-2026-41579, CVE-2026-47766: /dev is a link of the image, which would have devices made on the host.
fresh
attempt devices 'c["mounts"] = [m for m in c["mounts"] if not m["destination"].startswith("/dev")]'
expect_ran "control: devices in a folder of the image"
[[ -c $work/root/dev/null ]] || die "there is no device in the image"
for target in "$work/outside" ../../outside; do
  fresh
  rmdir "$work/root/dev"
  ln -s "$target" "$work/root/dev"
  attempt devices 'c["mounts"] = [m for m in c["mounts"] if not m["destination"].startswith("/dev")]'
  expect_equal "/dev -> $target makes no device there" "$untouched" "$(outside)"
  attempt mounted ''
  expect_failed "nor is anything mounted there"
done

# CVE-2019-16884, CVE-2019-19921: a /proc that is not the kernel's, so that what is written there goes nowhere.
fresh
sysctl='c["linux"]["sysctl"] = {"net.ipv4.ip_forward": "1"}
c["process"]["args"] = ["/bin/cat", "/proc/sys/net/ipv4/ip_forward"]'
attempt sysctl "$sysctl"
expect_ran "control: a setting of the container's"
expect_equal "it holds" 1 "$said"
rmdir "$work/root/proc"
ln -s /fake "$work/root/proc"
mkdir -p "$work/root/fake/sys/net/ipv4"
echo 0 >"$work/root/fake/sys/net/ipv4/ip_forward"
attempt sysctl "$sysctl"
expect_failed "/proc is a link of the image"

# CVE-2024-21626: the working folder is one that the caller left open.
fresh
exec 9<"$work/outside"
expect_equal "control: without a runtime that is a way there" marker "$(cd /proc/self/fd/9 && ls)"
for fd in 3 4 5 6 7 8 9 10 11 12; do
  attempt folder "c['process']['cwd'] = '/proc/self/fd/$fd'; c['process']['args'] = ['/bin/ls', '-a', '..', '.']"
  expect_missing "cwd /proc/self/fd/$fd does not lead there" marker "$said"
done
make_bundle stays "c['process']['args'] = ['/bin/sleep', '600']"
oci create --bundle "$work/stays" stays </dev/null
oci start stays
for fd in 3 5 7 9 11; do
  expect_missing "exec --cwd /proc/self/fd/$fd neither" marker "$(oci exec --cwd "/proc/self/fd/$fd" stays /bin/ls -a .. . 2>&1 || true)"
done
exec 9<&-

# CVE-2024-21626 again: the program is found behind a descriptor that the runtime still has while it executes, in the root of a process that the
# container could trace.
mkdir "$work/foreign"
cp "$(command -v busybox)" "$work/foreign/busybox"
setpriv --bounding-set -all --inh-caps -all sleep 600 &
foreign=$!
at_end stop_pid "$foreign"
exec 9</proc
expect_equal "control: without a runtime that is a way there" foreign "$("/proc/self/fd/9/$foreign/root$work/foreign/busybox" echo foreign)"
folders=
for fd in {3..40}; do
  folders+=:/proc/self/fd/$fd/$foreign/root$work/foreign
done
attempt program "c['process']['args'] = ['busybox', 'echo', 'foreign']; c['process']['env'] = ['PATH=${folders:1}']"
expect_equal "a command behind the runtime's descriptors is not executed" "" "$(grep -x foreign <<<"$said" || true)"
said=$(oci exec --env "PATH=${folders:1}" stays busybox echo foreign 2>&1 || true)
expect_equal "nor one of exec" "" "$(grep -x foreign <<<"$said" || true)"
attempt program "c['process']['args'] = ['cat', '/etc/passwd']; c['process']['env'] = ['PATH=${folders:1}:/bin']"
expect_ran "control: a command found after those is"
exec 9<&-
expect_equal "control: exec --cwd" /etc "$(oci exec --cwd /etc stays /bin/sh -c pwd)"

# What the caller did not hand over is not handed on: it would be the container's lock, or the host's /proc.
exec 3<&- 4<&-
attempt preserved ''
expect_ran "control: without descriptors to be handed on"
status=0
said=$(oci run --preserve-fds 1 --bundle "$work/preserved" one 2>&1) || status=$?
expect_contains "--preserve-fds of what is not open is refused" "3 is not open" "$said"
said=$(oci exec --preserve-fds 1 stays /bin/sh -c 'echo ran' 2>&1) || true
expect_contains "that of exec, too" "3 is not open" "$said"
said=$(oci run --preserve-fds 4294967295 --bundle "$work/preserved" one 2>&1) || true
expect_contains "and more than there can be" "too many" "$said"
edit="c['process']['args'] = ['/bin/sh', '-c', 'set -- \$(/bin/ls /proc/self/fd); echo \$* \$LISTEN_FDS']"
LISTEN_FDS=1 LISTEN_PID=1 attempt listening "$edit"
expect_equal "LISTEN_FDS of another process hands nothing on" "0 1 2 3" "$said"
exec 3</etc/passwd
status=0
said=$(oci run --preserve-fds 1 --bundle "$work/listening" one </dev/null 2>&1) || status=$?
expect_equal "control: what is open is" "0 1 2 3 4" "$said"
exec 3<&-

# CVE-2026-30892: a user that is no number is not root.
# shellcheck disable=SC2016  # the container's
expect_equal "control: exec --user" "5 6" "$(oci exec --user 5:6 stays /bin/sh -c 'echo $(/usr/bin/id -u) $(/usr/bin/id -g)')"
for user in root 5x x5 0x5 +5 -1 ' 5' 5: :5 5:x 4294967295 99999999999 ''; do
  status=0
  said=$(oci exec --user "$user" stays /usr/bin/id -u 2>&1) || status=$?
  [[ -z $user && $said == 0 ]] || { [[ $status != 0 && $said != 0 ]] || die "exec --user '$user' ran: $said"; }
done
ok "exec --user takes nothing but numbers"

# CVE-2022-29162: no capability is inheritable that nobody asked for.
# shellcheck disable=SC2016  # the container's
sets='while read -r k v; do case $k in CapInh:) i=$v ;; CapEff:) e=$v ;; esac; done </proc/self/status; echo "$i $e"'
expect_equal "exec --cap: effective, not inheritable" 0000000000000000 "$(oci exec --cap CAP_NET_RAW stays /bin/sh -c "$sets" | cut -d' ' -f1)"
expect_equal "control: it has the capability" 0000000020002420 "$(oci exec --cap CAP_NET_RAW stays /bin/sh -c "$sets" | cut -d' ' -f2)"
attempt inheritable "c['process']['args'] = ['/bin/sh', '-c', '''$sets''']
c['process']['capabilities']['inheritable'] = ['CAP_KILL']"
expect_equal "control: what the configuration asks for is" 0000000000000020 "${said%% *}"
oci delete --force stays

# CVE-2025-31133: what is hidden is covered by the host's null device, not by the image's.
fresh
echo secret >"$work/root/secret"
hide='c["linux"]["maskedPaths"] = ["/secret"]; c["mounts"] = [m for m in c["mounts"] if not m["destination"].startswith("/dev")]
c["process"]["args"] = ["/bin/sh", "-c", "/bin/cat /secret; /usr/bin/stat -c %t:%T /secret"]'
attempt hidden "${hide/\"\/secret\"/}"
expect_contains "control: what is not hidden can be read" secret "$said"
rm -f "$work/root/dev/null"
ln -s "$work/outside/marker" "$work/root/dev/null"
attempt hidden "$hide"
expect_equal "nothing is written through the image's /dev/null" "$untouched" "$(outside)"
expect_missing "what is hidden cannot be read" secret "$said"
expect_missing "and the host's file is not shown in its place" host "$said"

# CVE-2021-30465 and its kin: a mount's place is a link out of the root.
fresh
mkdir "$work/volume"
echo volume >"$work/volume/file"
volume='c["mounts"].append({"destination": "/mnt/place", "source": work + "/volume", "type": "bind", "options": ["rbind"]})
c["process"]["args"] = ["/bin/cat", "/mnt/place/file"]'
attempt bound "$volume"
expect_ran "control: a volume"
expect_equal "it is there" volume "$said"
for target in "$work/outside" ../../../outside /proc/self/cwd "/proc/1/root$work/outside"; do
  fresh
  rm -rf "$work/root/mnt"
  ln -s "$target" "$work/root/mnt"
  attempt bound "$volume"
  expect_equal "a volume below a link to $target stays inside" "$untouched" "$(outside)"
done

# Namespaces by path, and cgroups, that are the host's own: nothing is set there.
fresh
before=$(</proc/sys/net/ipv4/ip_default_ttl)
setting='c["linux"]["sysctl"] = {"net.ipv4.ip_default_ttl": "77"}
c["process"]["args"] = ["/bin/cat", "/proc/sys/net/ipv4/ip_default_ttl"]'
attempt ttl "$setting"
expect_equal "control: a setting of a network namespace of its own" 77 "$said"
attempt ttl "$setting
[s for s in c['linux']['namespaces'] if s['type'] == 'network'][0]['path'] = '/proc/$$/ns/net'"
expect_failed "a setting of the host's network namespace"
expect_contains "which is said" "is the host's own" "$said"
expect_equal "and the host's is as it was" "$before" "$(</proc/sys/net/ipv4/ip_default_ttl)"
name=$(</proc/sys/kernel/hostname)
attempt named "c['hostname'] = 'taken'
[s for s in c['linux']['namespaces'] if s['type'] == 'uts'][0]['path'] = '/proc/$$/ns/uts'"
expect_failed "a name for the host"
expect_equal "which keeps its own" "$name" "$(</proc/sys/kernel/hostname)"
freezer=$(awk '$9 == "cgroup" && $NF ~ /pids/ { print $5; exit }' /proc/self/mountinfo)
if [[ -n $freezer ]]; then
  mkdir -p "$freezer/held-$$/below"
  at_end rmdir "$freezer/held-$$/below" "$freezer/held-$$"
  sleep 600 &
  held=$!
  at_end stop_pid "$held"
  echo "$held" >"$freezer/held-$$/below/cgroup.procs"
  attempt cgroups "c['linux']['cgroupsPath'] = '/held-$$'"
  expect_failed "a cgroup with processes of others below it"
  alive "$held" || die "what was in there was killed"
  ok "and they live"
  echo "$held" >"$freezer/cgroup.procs"
  attempt cgroups "c['linux']['cgroupsPath'] = '/held-$$/empty'"
  expect_ran "control: one beside them"
fi
# A folder by another spelling is that folder, and the host's is not filled.
mkdir "$work/nodes"
touch "$work/nodes"/{null,ptmx}
attempt spelled "c['mounts'] = [m for m in c['mounts'] if not m['destination'].startswith('/dev')] + [
  {'destination': '//dev/', 'source': work + '/nodes', 'type': 'bind', 'options': ['rbind']}]
c['process']['args'] = ['/bin/sh', '-c', '[ -e /dev/null ]']"
expect_ran "the host's devices on //dev/"
expect_equal "nothing is made or removed among them" "null ptmx" "$(cd "$work/nodes" && echo *)"

# CVE-2019-5736: a link to /proc/self/exe as the command makes a copy of the runtime in the container, with its file behind /proc/PID/exe. While
# that runs nobody may write the file (ETXTBSY), but a descriptor of it outlives the copy.
make_root "$work/root" "$runtime" /bin/mv
ln -s /proc/self/exe "$work/root/command"
mkfifo "$work/root/fifo"
mkdir "$work/own"
cp "$runtime" "$work/own/mine"
# In the container: finds the copy by its name, holds its file, lets it go on and end, and writes. As long as the runtime outside runs, it is busy.
cat >"$work/own/overwrite" <<'SCRIPT'
found=
until [ -n "$found" ]; do
  for p in /proc/[0-9]*; do
    [ "$(/bin/cat $p/comm)" != "$1" ] || found=$p
  done
done
exec 5<$found/exe
while read -r line; do :; done </fifo
while [ -e $found ]; do :; done
said=busy
while [ "$said" != "${said%busy*}" ]; do
  said=$( (echo x >>/proc/self/fd/5) 2>&1)
done
echo "${said:-written}" >/mnt/said.new
/bin/mv /mnt/said.new /mnt/said
SCRIPT
# overwritten PROGRAM: what comes of that; it waits for a reader of its log.
overwritten() {
  rm -rf "$work/own/said" "$work/itself"
  make_bundle itself "c['process']['args'] = ['/bin/sh', '/mnt/overwrite', '${1##*/}']
c['mounts'].append({'destination': '/mnt', 'source': work + '/own', 'type': 'bind', 'options': ['bind']})"
  oci create --bundle "$work/itself" itself </dev/null
  oci start itself
  timeout 60 "$runtime" --root "$work/state" exec itself "$1" --log /fifo state none </dev/null >/dev/null 2>&1 || true
  wait_for "what came of writing $1" 60 test -e "$work/own/said"
  oci delete --force itself
  said=$(<"$work/own/said")
}
before=$(sha256sum "$runtime")
overwritten /command
expect_contains "the runtime's file is on a read-only mount" "Read-only file system" "$said"
expect_equal "the runtime's program is as it was" "$before" "$(sha256sum "$runtime")"
expect_contains "control: a file that the container may write is written so" written "$(overwritten /mnt/mine && echo "$said")"
expect_equal "nothing was mounted on the host" "" "$(grep -F "$work/" /proc/self/mountinfo || true)"
echo "ok: $checks checks"
