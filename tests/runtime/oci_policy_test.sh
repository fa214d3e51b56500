#!/bin/bash
# oci_policy_test.sh BUILD_DIR: a container that is held to a bundle of cordon's beside what its engine asks for: learned by the same runtime, then held. What is
# refused is written down; each refusal has its control without the bundle, with the same capabilities. Nothing is given that the engine does not give.
# shellcheck disable=SC2016  # variables in single quotes are for the container's shell
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
# shellcheck source=tests/runtime/oci_bundle.sh
source "$here/oci_bundle.sh"
need_root
need_programs /usr/bin/python3
cordon=${cordon:?}

make_root "$work/root" /bin/cat /bin/sleep
install "${victims:?}/syscall_probe" "$work/root/bin/"
mkdir "$work/root/data"
echo allowed >"$work/root/data/allowed"
echo secret >"$work/root/secret"
cat >"$work/root/script" <<'SCRIPT'
[ "$1" = nothing ] || /bin/cat /data/allowed
/bin/syscall_probe ptrace=99999999 >/dev/null
while read -r k v; do case $k in CapBnd:|CapEff:|CapInh:|CapAmb:|NoNewPrivs:|Seccomp:) echo "$k $v" ;; esac; done </proc/self/status
echo "limit $(ulimit -n) $(ulimit -Hn)"
[ "$1" != bad ] || { /bin/syscall_probe unshare; /bin/cat /secret; }
[ "$1" != stay ] || while :; do /bin/sleep 0.1; echo again >>/tmp/again; done
SCRIPT
# SYS_ADMIN, and more than the workload needs; some of it inheritable and ambient, as an engine may ask.
edit='
caps = ["CAP_SYS_ADMIN", "CAP_CHOWN", "CAP_KILL"]
c["process"]["capabilities"] = {kind: caps for kind in ("bounding", "effective", "permitted", "inheritable", "ambient")}
c["process"]["noNewPrivileges"] = False
c["process"]["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 500, "hard": 18000}]
c["root"]["readonly"] = False
c["linux"]["cgroupsPath"] = "/" + work.split("/")[-1] + "/one"
c["linux"]["resources"]["pids"] = {"limit": 1000}
c["process"]["args"] = ["/bin/sh", "/script", "good"]'
at_end find /sys/fs/cgroup -depth -type d -path "*/$(basename "$work")*" -exec rmdir {} + 2>/dev/null
make_bundle good "$edit"
make_bundle bad "$edit
c['process']['args'][2] = 'bad'"
make_bundle stay "$edit
c['process']['args'][2] = 'stay'"

oci --cordon-learn "$work/recordings" run --bundle "$work/good" learned </dev/null >"$work/said" 2>&1 || die "it was not learned: $(<"$work/said")"
oci --cordon-learn "$work/recordings" create --bundle "$work/stay" learned </dev/null >"$work/said" 2>&1
oci start learned
oci exec learned /bin/cat /data/allowed >/dev/null
# It is learned when it has been through its loop.
several() { (($(wc -l <"$work/root/tmp/again") > 2)); }
wait_for "some rounds of what is learned" 20 several
oci kill learned KILL
stopped() { oci state "$1" | grep -q '"stopped"'; }
wait_for "the end of what is learned" 20 stopped learned
oci delete learned
"$cordon" generate "$work/recordings/learned.recording.json" --name held -o "$work/held.policy" 2>"$work/said"
violations=$work/log/one.violations.jsonl
held() { oci --cordon-policy "$work/held.policy" --cordon-violations "$work/log" "$@"; }
# kinds: the calls that were written down.
kinds() { /usr/bin/python3 -c 'import json, sys
for line in open(sys.argv[1]):
    print(json.loads(line)["call"], json.loads(line)["errno"])' "$violations"; }

said=$(held run --bundle "$work/good" one </dev/null 2>&1) || die "it does not run under its policy: $said"
expect_contains "what was learned works" "allowed" "$said"
for set in CapBnd CapEff CapInh CapAmb; do
  expect_contains "no capability that the policy lacks: $set" "$set: 0000000000000000" "$said"
done
expect_contains "the policy's no_new_privs is set" "NoNewPrivs: 1" "$said"
expect_contains "of two limits the smaller" "limit 500 16384" "$said"
expect_equal "nothing was refused" "" "$(kinds)"

said=$(held run --bundle "$work/bad" one </dev/null 2>&1) || true
expect_contains "a call that was not learned is refused" "unshare EPERM" "$said"
expect_contains "a file that was not learned is refused" "Permission denied" "$said"
expect_contains "the call is written down, decoded" "unshare(CLONE_NEWUSER" "$(kinds)"
expect_contains "with its process, and no more than the container" '"/bin/syscall_probe"' "$(<"$violations")"
expect_missing "with its process, and no more than the container" cordon-runtime "$(<"$violations")"
said=$(oci run --bundle "$work/bad" one </dev/null 2>&1)
expect_contains "control: without the policy the call works" "unshare ok" "$said"
expect_contains "control: and the file can be read" secret "$said"
expect_contains "control: and the capabilities are there" "CapAmb: 0000000000200021" "$said"

# Other ways to name it.
said=$(CORDON_POLICY=$work/held.policy CORDON_VIOLATIONS=$work/log oci run --bundle "$work/bad" one </dev/null 2>&1) || true
expect_contains "CORDON_POLICY holds it, too" "unshare EPERM" "$said"
make_bundle annotated "$edit
c['process']['args'][2] = 'bad'
c['annotations'] = {'dev.cordon.policy': work + '/held.policy', 'dev.cordon.name': 'one'}"
said=$(CORDON_VIOLATIONS=$work/log oci run --bundle "$work/annotated" one </dev/null 2>&1) || true
expect_contains "the annotation holds it, too" "unshare EPERM" "$said"

# refused WHAT PART COMMAND…: create fails with one sentence, which the log has too, and leaves nothing.
refused() {
  local what=$1 part=$2
  shift 2
  : >"$work/runtime.log"
  "$@" run --bundle "$work/annotated" one </dev/null >"$work/said" 2>&1 && die "$what: it ran"
  expect_contains "$what" "$part" "$(<"$work/runtime.log")"
  expect_equal "$what: one sentence" 1 "$(wc -l <"$work/runtime.log")"
  expect_equal "$what: nothing is left" "" "$(oci list -q)"
}
cp -r "$work/held.policy" "$work/other.policy"
refused "an annotation does not replace the runtime's policy" 'this runtime holds its containers to' \
  oci --cordon-policy "$work/other.policy"
mv "$work/held.policy" "$work/kept.policy"
refused "a policy that is not there" "$work/held.policy" oci
mkdir "$work/held.policy"
refused "a folder that is no policy" "not a policy folder" oci
cp "$work/kept.policy"/* "$work/held.policy"
head -c 100 "$work/kept.policy/config.json" >"$work/held.policy/config.json"
refused "a policy that was cut off" "config.json" oci
cp "$work/kept.policy"/* "$work/held.policy"
refused "a policy for what is learned" "learned" oci --cordon-learn "$work/recordings"
CORDON_VIOLATIONS=log refused "no place for the log" "absolute path" oci

# A container that stays.
held create --bundle "$work/stay" one </dev/null >"$work/said" 2>&1 || die "create: $(<"$work/said")"
rm -rf "$work/held.policy" # what it is held to was read before
oci start one
expect_equal "exec of what was learned works" allowed "$(oci exec one /bin/cat /data/allowed)"
expect_contains "exec is held, too" "unshare EPERM" "$(oci exec one /bin/syscall_probe unshare)"
said=$(oci exec one /bin/cat /secret 2>&1) && die "exec reads what the policy refuses"
expect_contains "exec is held, too: files" "Permission denied" "$said"
# What the container can change by now does not change what exec is held to.
mv "$work/root/data/allowed" "$work/root/data/was-allowed"
ln -s /secret "$work/root/data/allowed"
oci exec one /bin/cat /data/allowed >"$work/said" 2>&1 && die "a link leads exec out of the policy"
expect_contains "the rules are of the files that were there" "Permission denied" "$(<"$work/said")"
mv "$work/root/data/was-allowed" "$work/root/data/allowed"
pids() { cat "/sys/fs/cgroup/pids/$(basename "$work")/one/pids.max"; }
if [[ -d /sys/fs/cgroup/pids ]]; then
  expect_equal "the policy's limit of tasks" 64 "$(pids)"
  oci update --pids-limit 32 one
  expect_equal "a lower one is taken" 32 "$(pids)"
  oci update --pids-limit 1000 one
  expect_equal "a higher one is the policy's" 64 "$(pids)"
fi
# monitors: the processes that watch over containers of this test.
monitors() {
  local pid
  for pid in $(pgrep -f -- "--root $work/state"); do
    [[ $(cat "/proc/$pid/comm" 2>/dev/null) != cordon-monitor ]] || echo "$pid"
  done
}
watcher=$(monitors)
[[ $watcher =~ ^[0-9]+$ ]] || die "there is not one monitor: $watcher"
stop_pid "$watcher" KILL
said=$(oci exec one /bin/cat /data/allowed 2>&1) && die "exec where nobody watches"
expect_contains "without its monitor exec fails" "monitor" "$said"
oci kill one KILL
wait_for "the end of the container" 20 stopped one
oci delete one
cp -r "$work/kept.policy" "$work/held.policy"
held create --bundle "$work/stay" one </dev/null >"$work/said" 2>&1
oci start one
watcher=$(monitors)
oci delete --force one
wait_for "the end of the monitor" 10 gone "$watcher"
ok "its monitor ends with the container"
expect_equal "nothing went wrong with monitors" "" "$(cat "$work/log/cordon-monitor.log" 2>/dev/null)"
echo "ok: $checks checks"
