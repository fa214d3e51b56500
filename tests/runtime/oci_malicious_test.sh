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

# CVE-2019-5736: the runtime's own program is not written from inside.
fresh
before=$(sha256sum "$runtime")
attempt itself 'c["process"]["args"] = ["/proc/self/exe", "--version"]'
# shellcheck disable=SC2016  # the container's
attempt itself 'c["process"]["args"] = ["/bin/sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do for p in /proc/[0-9]*; do (echo x >>$p/exe) 2>/dev/null; done; done; exit 0"]'
expect_equal "the runtime's program is as it was" "$before" "$(sha256sum "$runtime")"
expect_equal "nothing was mounted on the host" "" "$(grep -F "$work/" /proc/self/mountinfo || true)"
echo "ok: $checks checks"
