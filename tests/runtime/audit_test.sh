#!/bin/bash
# audit_test.sh BUILD_DIR: --audit refuses nothing and takes down what was outside the policy; with that the workload may do it. The control:
# without, it may not.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
cordon=${cordon:?}
cd "$work"
mkdir a
echo given >given
cat >workload.sh <<'SCRIPT'
set -e
cat given >a/one
mv a/one a/two
rm a/two
[ "$1" = more ] || exit 0
cat /etc/shells >/dev/null
mkdir a/dir
echo x >a/dir/file
ln -s file a/dir/link
mv a/dir/file a/file
mkdir a/moved a/there
mv a/moved a/there/moved
rmdir a/there/moved a/there
/usr/bin/python3 -I -c '
import socket, os, mmap
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.bind("a/socket")
s.listen(1)
c = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
c.connect("a/socket")
os.unlink("a/socket")
os.truncate("a/file", 0)
os.sync()
print("did it")'
rm a/dir/link a/file
rmdir a/dir
SCRIPT
"$cordon" profile --quiet -o learned.json -- sh workload.sh less
"$cordon" generate learned.json --name audited --runtime cordon -o learned.policy 2>/dev/null
less=$("$cordon" run --policy learned.policy --audit --recording less.json -- sh workload.sh less 2>&1)
expect_contains "what was learned is not outside" "nothing was outside the policy" "$less"
expect_missing "and nothing of it is reported" "would refuse" "$less"

status=0
"$cordon" run --policy learned.policy -- sh workload.sh more >out 2>err || status=$?
((status != 0)) || die "control: more than was learned was not refused"
ok "control: more than was learned is refused"
expect_missing "and not done" "did it" "$(cat out)"
rm -rf a/*

"$cordon" run --policy learned.policy --audit --recording more.json --report-file report.jsonl -- sh workload.sh more >out 2>err ||
  die "the audit refused something: $(cat err)"
expect_equal "an audit refuses nothing" "did it" "$(cat out)"
expect_contains "a call outside the policy is reported" "would refuse socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, " "$(cat err)"
expect_contains "a file, too, with its flags" "would refuse openat(AT_FDCWD, '/etc/shells', O_RDONLY) = EACCES by 'cat' (pid " "$(cat err)"
expect_contains "with who made whom make it" ", of 'sh' (pid " "$(grep "/etc/shells" err)"
expect_contains "and the rule that allows it" '{"path":' "$(grep "/etc/shells" err)"
expect_contains "a program that was not executed" "would refuse execve('/usr/bin/python3'" "$(cat err)"
expect_contains "a directory that was made, with both rules" '"access":["make_dir"]' "$(grep "mkdir(" err)"
expect_contains "a directory that was moved, with what its new place needs" '/a/there","access":["make_dir","refer"]}' "$(grep "rename.*a/there/moved" err)"
/usr/bin/python3 -I - <<'PY' || die "the report is not JSON: $(head -3 report.jsonl)"
import json
lines = [json.loads(line) for line in open("report.jsonl")]
shells = [line for line in lines if "/etc/shells" in line["call"]]
assert shells and shells[0]["rules"]["landlock"][0]["access"] == ["read_file"], shells
assert [process["command"] for process in shells[0]["processes"]] == ["cat", "sh"], shells
assert all(line["enforcement"] == "audit" and line["errno"] in ("EPERM", "ENOSYS", "EACCES") for line in lines)
PY
ok "the report file has a line of JSON for each"
expect_equal "as many as were reported" "$(grep -c "would refuse" err)" "$(wc -l <report.jsonl)"
shown=$("$cordon" show more.json)
expect_contains "the recording says what it is" "audit" "$shown"
expect_contains "and that it is no whole one" "Partial: " "$shown"
"$cordon" generate more.json --name alone --runtime cordon -o alone.policy 2>err
expect_contains "as does generate" "no run of what was given was traced" "$(cat err)"
"$cordon" generate learned.json more.json --name whole --runtime cordon -o whole.policy 2>err
expect_missing "control: not with what was learned" "was traced" "$(cat err)"
expect_contains "it has the socket's address" '"address":"' "$(grep -F '"operation":"bind"' more.json)"

# Whatever the policy does with a call that it does not allow: an audit makes nothing of it but a report.
for action in kill log notify; do
  "$cordon" generate learned.json --name audited --runtime cordon --on-violation $action -o $action.policy 2>/dev/null
  rm -rf a/*
  "$cordon" run --policy $action.policy --audit --recording $action.json --report-file $action.jsonl -- sh workload.sh more >out 2>err ||
    die "the audit of a policy that would $action ended the workload: $(cat err)"
  expect_equal "an audit does not $action" "did it" "$(cat out)"
  case $action in
    kill) would="would refuse mkdir('a/dir', 0777) = KILL_PROCESS" ;;
    log) would="would log mkdir('a/dir', 0777) = LOG" ;;
    notify) would="would refuse mkdir('a/dir', 0777) = EPERM" ;;
  esac
  expect_contains "it reports what the policy would" "$would" "$(cat err)"
  expect_contains "so does the file" "\"name\":\"mkdir\",\"arch\":\"$(uname -m)\"" "$(cat $action.jsonl)"
  expect_contains "and the recording has it" '"name":"mkdir"' "$(tr -d ' \n' <$action.json)"
done

"$cordon" merge learned.json more.json -o merged.json 2>/dev/null
"$cordon" merge more.json learned.json more.json -o again.json 2>/dev/null
cmp merged.json again.json || die "merging depends on order or repetition"
ok "it merges like any other"
"$cordon" generate merged.json --name audited --runtime cordon -o more.policy 2>/dev/null
rm -rf a/*
"$cordon" run --policy more.policy -- sh workload.sh more >out 2>err || die "what the audit took down is not allowed: $(cat err)"
expect_equal "with it the workload may do it all" "did it" "$(cat out)"
expect_missing "and nothing is refused" "cordon: refused" "$(cat err)"
status=0
"$cordon" run --policy more.policy -- sh -c 'cat /etc/fstab' >out 2>err || status=$?
((status != 0)) || die "more than that is allowed"
ok "and no more"

status=0
"$cordon" run --policy learned.policy --recording x.json -- true 2>err || status=$?
expect_equal "--recording without --audit is a mistake" 2 "$status"
status=0
"$cordon" run --policy learned.policy --audit --recording /nonexistent/x.json -- true 2>err || status=$?
expect_equal "as is one that cannot be written" 2 "$status"
status=0
"$cordon" run --policy learned.policy --report none --report-file x.jsonl -- true 2>err || status=$?
expect_equal "and a report of nothing" 2 "$status"

# A full disk: said at once, the workload goes on, and the exit code is cordon's.
status=0
"$cordon" run --policy learned.policy --audit --report-file /dev/full -- sh workload.sh more >out 2>err || status=$?
expect_equal "a report that cannot be written is cordon's failure" 125 "$status"
expect_equal "but the workload goes on" "did it" "$(cat out)"
expect_equal "it is said when it happens, and at the end" 2 "$(grep -c "report-file '/dev/full' lacks violations: write: No space left on device" err)"
status=0
"$cordon" run --policy learned.policy --audit --recording /dev/full -- sh workload.sh more >out 2>err || status=$?
expect_equal "as is a recording" 125 "$status"
expect_contains "which is named" "write '/dev/full': No space left on device" "$(cat err)"

# Enforcing, and detached: the files are where the command was given.
rm -rf a/*
status=0
"$cordon" run --policy learned.policy --report-file refused.jsonl -- sh workload.sh more >out 2>err || status=$?
/usr/bin/python3 -I - <<'PY' || die "the report of what was refused: $(cat refused.jsonl err)"
import json
lines = [json.loads(line) for line in open("refused.jsonl")]
assert lines and all(line["enforcement"] == "enforce" for line in lines)
assert all(line["rules"]["seccomp"]["names"] == [line["name"]] for line in lines), lines
PY
ok "what is refused is in the report file, each with its rule"
rm -rf a/*
name=$("$cordon" run --detach --policy learned.policy --audit --recording detached.json --report-file detached.jsonl -- sh workload.sh more)
at_end "$cordon" rm --force "$name"
wait_for "the detached audit's recording" 30 test -s detached.json
[[ -s detached.jsonl ]] || die "the report of a detached audit is empty"
"$cordon" show detached.json >/dev/null || die "the recording of a detached audit is not one"
ok "a detached audit leaves both where it was begun"

# A flood: more numbers of calls and names of files than anybody should keep.
cat >flood.py <<'PY'
import ctypes, sys
libc = ctypes.CDLL(None)
for i in range(3000 if sys.argv[1] == "more" else 0):
    libc.syscall(ctypes.c_long(100000 + i))
    try:
        open("/nonexistent-%d" % i, "w")
    except OSError:
        pass
PY
"$cordon" profile --quiet -o flood.json -- /usr/bin/python3 -I flood.py less
"$cordon" generate flood.json --name flood --runtime cordon -o flood.policy 2>/dev/null
"$cordon" run --policy flood.policy --audit --recording flooded.json -- /usr/bin/python3 -I flood.py more >out 2>err || die "$(tail -3 err)"
expect_contains "after many kinds of violations the rest is counted" "1000 kinds of violations were reported" "$(cat err)"
expect_equal "and not reported" 1000 "$(grep -c "would refuse" err)"
[[ $(tail -n 2 err) =~ ([0-9]+)" violations in all, "([0-9]+)" of them not reported one by one" ]] || die "the closing line: $(tail -n 2 err)"
expect_equal "as the closing line says, which calls none repeated" 1000 "$((BASH_REMATCH[1] - BASH_REMATCH[2]))"
"$cordon" show flooded.json >/dev/null || die "its recording is not one"

# A workload that wants a listener of its own.
cat >listener.py <<'PY'
import ctypes, os, struct
libc = ctypes.CDLL(None, use_errno=True)
allow = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7FFF0000), 8)
program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", 1, ctypes.addressof(allow)), 16)
libc.prctl(38, 1, 0, 0, 0)
print("listener", "ok" if libc.syscall(317, 1, 8, program) >= 0 else os.strerror(ctypes.get_errno()))
PY
if [[ $(uname -m) == x86_64 ]]; then
  "$cordon" profile --quiet -o listener.json -- /usr/bin/python3 -I listener.py >out 2>err
  if grep -q "listener ok" out; then
    "$cordon" generate listener.json --name listener --runtime cordon -o listener.policy 2>/dev/null
    expect_contains "lint knows who wants a listener" "own-listener" "$("$cordon" lint listener.policy || true)"
    "$cordon" run --policy listener.policy -- /usr/bin/python3 -I listener.py >out 2>err
    expect_contains "there is only one" "listener Device or resource busy" "$(cat out)"
    expect_contains "and run says so" "fails with EBUSY" "$(cat err)"
    "$cordon" run --policy listener.policy --report none -- /usr/bin/python3 -I listener.py >out 2>err
    expect_contains "--report none leaves it to the workload" "listener ok" "$(cat out)"
    expect_missing "and has nothing to warn of" "EBUSY" "$(cat err)"
    expect_missing "nor has a policy without it" "EBUSY" "$("$cordon" run --policy learned.policy -- sh workload.sh less 2>&1)"
  else
    echo "note: no listener of its own under the tracer here: $(cat out err)"
  fi
fi
echo "ok: $checks checks"
