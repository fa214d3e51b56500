#!/bin/bash
# oci_hooks_test.sh BUILD_DIR: the six kinds of hooks: when each runs, where, and with what state; that a failure of one ends what it should.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
# shellcheck source=tests/runtime/oci_bundle.sh
source "$here/oci_bundle.sh"
need_root
need_programs /usr/bin/python3

make_root "$work/root" /bin/cat /bin/readlink
mkdir "$work/hooks" "$work/root/hooks"
cat >"$work/hooks/note" <<'HOOK'
#!/bin/sh
echo "$2" >>"$1/order"
cat >"$1/$2.json"
readlink /proc/self/ns/mnt >"$1/$2.mnt"
echo "$PWD $A" >"$1/$2.where"
HOOK
chmod 755 "$work/hooks/note"
# All six, each with a variable; that of startContainer is found in the container.
# shellcheck disable=SC2016  # Python's
all='
def hook(kind, folder):
    return [{"path": folder + "/note", "args": ["note", folder, kind], "env": ["A=" + kind, "PATH=/usr/bin:/bin"]}]
c["hooks"] = {kind: hook(kind, work + "/hooks") for kind in
              ("prestart", "createRuntime", "createContainer", "poststart", "poststop")}
c["hooks"]["startContainer"] = hook("startContainer", "/hooks")
c["mounts"].append({"destination": "/hooks", "source": work + "/hooks", "type": "bind", "options": ["rbind"]})
c["annotations"] = {"org.example": "yes"}
c["process"]["args"] = ["/bin/sh", "-c", "echo command >>/hooks/order"]'
make_bundle all "$all"
order() { tr '\n' ' ' <"$work/hooks/order"; }
# of KIND EXPRESSION: of the state, s, that the hook was given.
of() { /usr/bin/python3 -c 'import json, sys
s = json.load(open(sys.argv[1]))
print(eval(sys.argv[2]))' "$work/hooks/$1.json" "$2"; }

oci create --bundle "$work/all" one </dev/null
expect_equal "create runs three kinds, in their order" "prestart createRuntime createContainer " "$(order)"
pid=$(oci state one | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["pid"])')
oci start one
stopped() { oci state one | grep -q '"stopped"'; }
wait_for "the end of the command" 20 stopped
oci delete one
grep -v command "$work/hooks/order" | tr '\n' ' ' >"$work/order"
expect_equal "then start two, and delete the last" "prestart createRuntime createContainer startContainer poststart poststop " "$(cat "$work/order")"
expect_contains "startContainer comes before the command" "startContainer command" "$(grep -v post "$work/hooks/order" | tr '\n' ' ')"
for kind in prestart createRuntime createContainer startContainer poststart poststop; do
  expect_equal "$kind: id, bundle and annotations" "one $work/all yes" "$(of "$kind" 's["id"] + " " + s["bundle"] + " " + s["annotations"]["org.example"]')"
  expect_contains "$kind: its own variables" " $kind" "$(cat "$work/hooks/$kind.where")"
done
expect_equal "the pid is the container's" "$pid $pid" "$(of createRuntime 's["pid"]') $(of poststart 's["pid"]')"
expect_equal "of a container that is gone there is none" 0 "$(of poststop 's.get("pid", 0)')"
expect_equal "the states" "creating creating creating created running stopped" "$(for kind in prestart createRuntime createContainer startContainer poststart poststop; do of "$kind" 's["status"]'; done | tr '\n' ' ' | sed 's/ $//')"
own=$(readlink /proc/self/ns/mnt)
expect_equal "those that run outside" "$own $own $own $own" "$(cat "$work"/hooks/{prestart,createRuntime,poststart,poststop}.mnt | tr '\n' ' ' | sed 's/ $//')"
inside=$(cat "$work/hooks/startContainer.mnt")
[[ $inside != "$own" ]] || die "startContainer does not run inside"
expect_equal "those that run inside" "$inside" "$(cat "$work/hooks/createContainer.mnt")"

# failing KIND: a hook of that kind says something and fails.
failing() {
  make_bundle "fails-$1" "
c['hooks'] = {'$1': [{'path': '/bin/sh', 'args': ['sh', '-c', 'echo no luck >&2; exit 3']}]}
c['process']['args'] = ['/bin/sh', '-c', 'echo ran >>/hooks/ran']
c['mounts'].append({'destination': '/hooks', 'source': work + '/hooks', 'type': 'bind', 'options': ['rbind']})"
}
for kind in prestart createRuntime createContainer; do
  failing "$kind"
  status=0
  said=$(oci create --bundle "$work/fails-$kind" two </dev/null 2>&1) || status=$?
  expect_equal "create fails where $kind does" 1 "$status"
  expect_contains "and says so" hook "$said"
  expect_equal "no container is left" "" "$(oci list -q)"
done

# What the hooks of a container that does not come about have set up is for poststop to undo.
make_bundle undone "c['hooks'] = {
  'prestart': [{'path': '/bin/sh', 'args': ['sh', '-c', 'echo made >>$work/hooks/undo']}],
  'createRuntime': [{'path': '/bin/false'}],
  'poststop': [{'path': '/bin/sh', 'args': ['sh', '-c', 'cat >$work/hooks/undone.json; echo undone >>$work/hooks/undo']}]}"
oci create --bundle "$work/undone" two </dev/null 2>/dev/null && die "a container is made though a hook failed"
expect_equal "poststop undoes what prestart did when create fails" "made undone" "$(tr '\n' ' ' <"$work/hooks/undo" | sed 's/ $//')"
expect_equal "and is told of a container that is stopped" stopped "$(of undone 's["status"]')"

# Until it is complete a container is "creating", and nothing may enter it: its root is still the host's.
mkfifo "$work/hooks/hold"
make_bundle half "c['hooks'] = {'createRuntime': [{'path': '/bin/sh', 'args': ['sh', '-c', 'cat $work/hooks/hold >/dev/null']}]}"
oci create --bundle "$work/half" half </dev/null &
making=$!
status_of_half() { oci state half | /usr/bin/python3 -c 'import json, sys; s = json.load(sys.stdin); print(s["status"], s["pid"] > 0)'; }
has_pid() { [[ $(status_of_half) == *True ]]; }
wait_for "a process of the container" 20 has_pid
expect_equal "while a hook of create runs it is creating" "creating True" "$(status_of_half)"
status=0
said=$(oci exec half /bin/sh -c 'echo entered' 2>&1) || status=$?
expect_contains "nothing enters it" "it is creating" "$said"
echo go >"$work/hooks/hold"
created() { [[ $(status_of_half) == created* ]]; }
wait_for "the end of create" 20 created
expect_equal "control: then a command may" entered "$(oci exec half /bin/sh -c 'echo entered')"
oci pause half
expect_equal "one that waits for its start can be paused" "paused True" "$(status_of_half)"
oci resume half
expect_equal "and resumed" "created True" "$(status_of_half)"
oci delete --force half
stop_pid "$making"
for kind in startContainer poststart; do
  failing "$kind"
  oci create --bundle "$work/fails-$kind" two </dev/null
  status=0
  oci start two >/dev/null 2>&1 || status=$?
  expect_equal "start fails where $kind does" 1 "$status"
  gone_two() { oci state two | grep -q '"stopped"'; }
  wait_for "the container has ended" 20 gone_two
  ok "its container has ended"
  oci delete two
done
expect_equal "the command ran where only poststart failed" 1 "$(wc -l <"$work/hooks/ran")"
failing poststop
oci create --bundle "$work/fails-poststop" two </dev/null
oci start two
expect_equal "a failure of poststop is a warning" 0 "$(oci delete --force two >/dev/null 2>&1; echo $?)"
expect_contains "which the log has" "no luck" "$(cat "$work/runtime.log")"

make_bundle slow "c['hooks'] = {'createRuntime': [{'path': '/bin/sleep', 'args': ['sleep', '600'], 'timeout': 1}]}"
said=$(oci create --bundle "$work/slow" three </dev/null 2>&1) && die "a hook took longer than its timeout"
expect_contains "a hook that takes too long is killed" "took longer than 1 s" "$said"
expect_equal "and no container is left" "" "$(oci list -q)"
echo "ok: $checks checks"
