#!/bin/bash
# policy_commands_test.sh BUILD_DIR: what `cordon check`, `diff` and `subset` answer, in words, in JSON, SARIF and JUnit's XML, and by exit code.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
# shellcheck source=tests/testing/answers.sh
source "$here/../testing/answers.sh"
cd "$work"

"${cordon:?}" profile -o cat.json -- cat /etc/hostname >/dev/null
"$cordon" profile -o sync.json -- sync >/dev/null
"$cordon" generate cat.json -o cat.policy 2>/dev/null

# check
answers 0 check cat.policy cat.json
expect_contains "it counts" "recorded calls hold under 'cat.policy'" "$said"
answers 0 check cat.policy/seccomp.json cat.json
answers 1 check cat.policy sync.json
expect_contains "it names the call, the caller and the answer" \
  "sync() on x86_64, by '/usr/bin/sync': recorded with ok, the policy answers ERRNO EPERM" "$said"
answers 1 check cat.policy cat.json sync.json
expect_equal "every recording has its line" 2 "$(grep -c 'recorded calls hold' said)"

answers 1 check --json cat.policy sync.json
/usr/bin/python3 - said <<'PYTHON' || die "the JSON is not what it should be: $said"
import json, sys
document = json.load(open(sys.argv[1]))
assert document["holds"] is False
one = document["recordings"][0]
assert (one["policy"], one["recording"]) == ("cat.policy", "sync.json")
assert one["calls"] > 10
assert [(u["name"], u["arch"], u["answer"], u["executables"]) for u in one["unheld"]] == [
    ("sync", "x86_64", "ERRNO EPERM", ["/usr/bin/sync"])]
PYTHON
ok "--json says the same"
answers 1 check --sarif cat.policy sync.json
/usr/bin/python3 - said <<'PYTHON' || die "the SARIF is not what it should be: $said"
import json, sys
document = json.load(open(sys.argv[1]))
assert document["version"] == "2.1.0"
run, = document["runs"]
result, = run["results"]
assert result["ruleId"] == run["tool"]["driver"]["rules"][0]["id"]
assert result["level"] == "error" and "sync()" in result["message"]["text"]
assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "cat.policy"
PYTHON
ok "--sarif says the same"
cp sync.json '<&"sync'
answers 1 check --junit cat.policy cat.json '<&"sync'
/usr/bin/python3 - said <<'PYTHON' || die "the XML is not what it should be: $said"
import sys
from xml.etree import ElementTree
good, bad = ElementTree.parse(sys.argv[1]).getroot().findall("testsuite")
assert bad.get("name") == '<&"sync' and bad.get("failures") == "1" and good.get("failures") == "0"
for suite in good, bad:
    assert len(suite.findall("testcase")) == int(suite.get("tests"))
failed, = bad.findall("testcase/failure")
assert "sync()" in failed.get("message")
PYTHON
ok "--junit says the same"
answers 2 check --json --sarif cat.policy cat.json

# diff and subset
cat >wide.json <<'PROFILE'
{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [
  {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"},
  {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 4294967294, "valueTwo": 2, "op": "SCMP_CMP_MASKED_EQ"}]}]}
PROFILE
cat >narrow.json <<'PROFILE'
{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [
  {"names": ["read"], "action": "SCMP_ACT_ALLOW"},
  {"names": ["write"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1},
  {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}]}]}
PROFILE
answers 0 diff wide.json wide.json
expect_contains "it says so" "give every call the same answer" "$said"
answers 1 diff narrow.json wide.json
expect_contains "a call that differs whatever its arguments" "write on x86_64: ERRNO EPERM -> ALLOW" "$said"
expect_contains "and one that differs for some, with an example" "socket(0x3, 0x0, 0x0) on x86_64: ERRNO ENOSYS -> ALLOW" "$said"
answers 0 subset narrow.json wide.json
answers 1 subset wide.json narrow.json
expect_contains "the counterexample" "socket(0x3" "$said"
answers 1 subset --json wide.json narrow.json
/usr/bin/python3 - said <<'PYTHON' || die "the JSON is not what it should be: $said"
import json, sys
document = json.load(open(sys.argv[1]))
assert (document["left"], document["right"]) == ("wide.json", "narrow.json")
found = {d["name"]: d for d in document["differences"]}
assert set(found) == {"write", "socket"}
assert found["write"]["for_all_arguments"] is True and found["write"]["right"] == "ERRNO EPERM"
assert found["socket"]["for_all_arguments"] is False and found["socket"]["arguments"][0] % 2**32 & ~1 == 2
PYTHON
ok "--json says the same"
answers 0 subset cat.policy cat.policy

# merge
"$cordon" generate sync.json -o sync.policy 2>/dev/null
answers 0 merge cat.policy sync.policy -o both.json
expect_equal "it writes the file and nothing else" "" "$said$told"
answers 0 check both.json cat.json sync.json
answers 0 subset cat.policy both.json
answers 0 subset sync.policy both.json
answers 1 subset both.json cat.policy
answers 0 merge sync.policy cat.policy
expect_equal "the order does not matter" "$(cat both.json)" "$said"
answers 0 merge --intersect cat.policy sync.policy
cp said common.json
answers 0 subset common.json cat.policy
answers 0 subset common.json sync.policy
answers 1 check common.json cat.json
answers 0 merge narrow.json narrow.json -o same.json
answers 0 diff narrow.json same.json
answers 0 merge narrow.json wide.json -o more.json
answers 0 diff more.json wide.json
answers 0 merge narrow.json wide.json --intersect -o less.json
answers 0 diff less.json narrow.json
sed 's/"SCMP_ARCH_X86_64"/"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"/' narrow.json >two.json
answers 0 merge wide.json two.json -o out.json
expect_contains "what no profile can say is a warning" "warning: write on x86: a profile has no words" "$told"
answers 0 subset wide.json out.json
answers 0 subset two.json out.json
answers 0 merge /usr/share/containers/seccomp.json cat.policy -o out.json
answers 0 subset /usr/share/containers/seccomp.json out.json
# Policies for different architectures: the union lists them all, the intersection those in common.
sed 's/"SCMP_ARCH_X86_64"/"SCMP_ARCH_AARCH64"/' narrow.json >arm.json
answers 0 merge two.json arm.json -o all-architectures.json
expect_contains "a union lists every architecture" '"SCMP_ARCH_AARCH64"' "$(cat all-architectures.json)"
answers 0 subset two.json all-architectures.json
answers 0 subset arm.json all-architectures.json
cp all-architectures.json first.json
answers 0 merge arm.json two.json -o all-architectures.json
expect_equal "whatever their order" "$(cat first.json)" "$(cat all-architectures.json)"
answers 0 merge --intersect two.json arm.json -o common.json
/usr/bin/python3 -c 'import json, sys; assert json.load(open("common.json"))["architectures"] == ["SCMP_ARCH_X86_64"]' ||
  die "an intersection lists more than what all list: $(cat common.json)"
ok "an intersection lists what all list: this machine's architecture always is"
answers 0 subset common.json arm.json
answers 0 subset common.json two.json
: >plain

# Recordings.
answers 0 merge cat.json sync.json -o all.json
answers 0 merge sync.json cat.json
expect_equal "the order does not matter" "$(cat all.json)" "$said"
printf '%s\n\n' sync.json cat.json >list
answers 0 merge --files-from list
expect_equal "a list names them" "$(cat all.json)" "$said"
echo sync.json | answers 0 merge cat.json -T -
expect_equal "so does standard input, beside the command line" "$(cat all.json)" "$said"
answers 0 subset cat.json all.json
answers 0 diff all.json all.json
expect_contains "it says so" "saw the same" "$said"
answers 1 subset all.json cat.json
expect_contains "what is missing" "- sync on x86_64" "$said"
answers 1 diff cat.json all.json
expect_contains "what is more" "+ sync on x86_64" "$said"
expect_missing "and nothing is less" "- " "$said"
answers 1 diff --json cat.json sync.json
/usr/bin/python3 - said <<'PYTHON' || die "the JSON is not what it should be: $said"
import json, sys
document = json.load(open(sys.argv[1]))
assert "sync on x86_64" in document["only_right"] and "file '/etc/hostname': read" in document["only_left"]
PYTHON
ok "--json says the same"
"$cordon" generate all.json -o all.policy 2>/dev/null
answers 0 check all.policy cat.json sync.json

# A profile as Docker's and Podman's: what it means depends on capabilities, kernel and architecture.
cat >engine.json <<'PROFILE'
{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "ENOSYS",
 "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
             {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}], "syscalls": [
  {"names": ["read", "no_such_call"], "action": "SCMP_ACT_ALLOW", "args": null},
  {"name": "bpf", "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_BPF"]}},
  {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}},
  {"names": ["read", "setns"], "action": "SCMP_ACT_ERRNO", "errno": "EPERM"}]}
PROFILE
cat >empty.json <<'PROFILE'
{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]}
PROFILE
answers 1 subset engine.json empty.json --kernel 5.10
expect_equal "the calls that it admits on its two ABIs" 4 "$(grep -c ' on x86' said)"
expect_contains "it says that something was decided" "3 of its parts" "$told"
answers 1 subset engine.json empty.json --kernel 5.10 --notes
expect_contains "what it does not know" "engine.json: /syscalls/0/names/1: unknown system call 'no_such_call'" "$told"
expect_contains "what was decided" "engine.json: /syscalls/1: left out, since the container lacks CAP_BPF" "$told"
expect_contains "what has no effect" "engine.json: /syscalls/3: without effect on read: /syscalls/0 " "$told"
answers 1 subset engine.json empty.json --kernel 5.10 --cap CAP_BPF
expect_contains "--cap" "bpf on x86_64: ALLOW" "$said"
answers 1 subset engine.json empty.json --kernel 4.7 --cap NONE
expect_missing "--kernel" "ptrace" "$said"
answers 1 subset engine.json empty.json --arch aarch64
expect_contains "--arch" "read on aarch64: ALLOW" "$said"
answers 0 diff /usr/share/containers/seccomp.json /usr/share/containers/seccomp.json
answers 1 diff /usr/share/containers/seccomp.json cat.policy

# explain
answers 0 explain cat.policy openat
expect_contains "which rule" "/syscalls/" "$said"
expect_contains "and why" "'openat: " "$said"
expect_missing "but not why others are" "'read: " "$said"
answers 0 explain cat.policy socket 38 5
expect_contains "what arguments get" "socket(0x26, 0x5, 0x0) on x86_64: ERRNO EPERM" "$said"
answers 0 explain wide.json socket
expect_contains "the condition" "/syscalls/1: ALLOW where argument 0 & 0xfffffffe is 0x2" "$said"
expect_contains "and the rest" "otherwise: ERRNO ENOSYS, the default action" "$said"
answers 0 explain wide.json socket 0x3
expect_contains "one rule decides" "/syscalls/1: ALLOW" "$said"
answers 0 explain wide.json sync
expect_contains "no rule" "no rule: ERRNO ENOSYS, the default action" "$said"
answers 0 explain sync.json sync
expect_contains "what was seen of a call" "by '/usr/bin/sync'" "$said"
answers 0 explain cat.json /etc/hostname
expect_contains "and of a file" "file '/etc/hostname': " "$said"
answers 1 explain cat.json sync
expect_contains "or not" "'sync': not seen" "$said"
answers 0 explain cat.policy
expect_contains "how much is admitted" "calls of x86_64 admitted" "$said"
expect_contains "that nothing dangerous is" "0 of 18 dangerous groups open" "$said"
expect_contains "and what a call costs" "of them for a call" "$said"
answers 0 explain --json /usr/share/containers/seccomp.json
/usr/bin/python3 - said cat.policy/proof.json <<'PYTHON' || die "the JSON is not what it should be: $said"
import json, sys
podmans, proof = (json.load(open(file)) for file in sys.argv[1:])
x86_64 = podmans["architectures"]["x86_64"]
assert x86_64["known_calls"] - x86_64["refused_calls"] == x86_64["admitted_calls"] > 250
assert "terminal-injection" in [group["group"] for group in podmans["dangerous_groups"]["open"]]
assert 10 < podmans["filter"]["worst_case_instructions"] < podmans["filter"]["instructions"]
surface = proof["seccomp"]["attack_surface"]
assert 30 < surface["architectures"]["x86_64"]["admitted_calls"] < surface["architectures"]["x86_64"]["docker_default_admits"]
assert surface["dangerous_groups"]["open"] == []
readings = {reading["reader"]: reading for reading in proof["seccomp"]["readings"]}
assert readings["cordon"]["worst_case_instructions"] == surface["filter"]["worst_case_instructions"]
PYTHON
ok "--json says it of any profile, and proof.json of the bundle"
refused "cat.json' is a recording: name a call or a file of it" explain cat.json
answers 2 explain --json cat.policy read
refused "'no_such_call' is no system call" explain cat.policy no_such_call
refused "missing.json" explain missing.json read
cp -r cat.policy why.policy
echo '{"seccomp": [{"rule": 5}]}' >why.policy/why.json
refused "why.policy/why.json: /seccomp/0/rule" explain why.policy read

# lint
answers 0 lint cat.policy
expect_missing "a generated policy has no error" ": error: " "$said"
expect_missing "and opens nothing dangerous" "dangerous-open" "$said"
cat >bad.json <<'PROFILE'
{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [
  {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW"},
  {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 40, "op": "SCMP_CMP_NE"}]},
  {"names": ["personality"], "action": "SCMP_ACT_ALLOW",
   "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_GE"}, {"index": 0, "value": 5, "op": "SCMP_CMP_LE"}]}]}
PROFILE
answers 1 lint bad.json
expect_contains "nothing could start" "[cannot-start-or-end]" "$said"
expect_contains "what is open" "other-processes is open, by ptrace(0x0) on x86_64" "$said"
expect_contains "a way round" "socket(0x28, 0x0, 0x0) on x86_64 is refused, but admitted with other high bits" "$said"
expect_contains "alternatives" "bad.json: /syscalls/2: error: several conditions on one argument" "$said"
expect_contains "a wrong errno" "clone3" "$(grep errno-not-enosys said)"
answers 1 lint --json bad.json
/usr/bin/python3 - said <<'PYTHON' || die "the JSON is not what it should be: $said"
import json, sys
findings = json.load(open(sys.argv[1]))["findings"]
assert {"severity": "error", "place": "/syscalls/2", "id": "conditions-are-alternatives"}.items() <= next(
    f for f in findings if f["place"]).items()
order = ["error", "warning", "note"]
assert [f["severity"] for f in findings] == sorted((f["severity"] for f in findings), key=order.index)
PYTHON
ok "--json says the same"
refused "missing.json" lint missing.json

# What cannot be read.
refused "missing.json" check missing.json cat.json
refused "missing.json" check cat.policy missing.json
refused "missing.json" diff cat.policy missing.json
head -c 200 cat.policy/seccomp.json >truncated.json
refused "not valid JSON" subset truncated.json cat.policy
refused "not valid JSON" check cat.policy truncated.json
mkdir folder
refused "folder/seccomp.json" diff folder cat.policy
sed 's/SCMP_ACT_TRAP/X/; s/"bpf"/5/' engine.json >type.json
refused "type.json: /syscalls/1/name" diff type.json cat.policy --cap CAP_BPF
sed 's/"EPERM"/"EWHAT"/' engine.json >errno.json
refused "errno.json: /syscalls/3/errno: unknown errno 'EWHAT'" diff errno.json cat.policy
sed 's/"names": \["write"\]/"names": ["socket"], "args": [{"index": 1, "value": 1, "op": "SCMP_CMP_EQ"}]/' narrow.json >both.json
refused "both.json: /syscalls/2: rules /syscalls/1 and /syscalls/2 answer differently" diff both.json cat.policy
refused "one is a policy and the other a recording" diff cat.json cat.policy
refused "one is a policy and the other a recording" subset cat.policy cat.json
refused "is a recording and 'cat.policy' is a policy" merge cat.policy cat.json
refused "--intersect is about policies" merge --intersect cat.json sync.json
refused "missing.json" merge cat.policy missing.json
refused "no policy and no recording is named" merge
: >empty
refused "'empty' names no policy and no recording" merge -T empty
refused "missing-list" merge -T missing-list
refused "not valid JSON" merge cat.policy truncated.json
refused "plain/out.json" merge cat.json -o plain/out.json
refused "--arch" diff --arch pdp11 cat.policy cat.policy
refused "--kernel" diff --kernel five cat.policy cat.policy
refused "--cap" diff --cap chown cat.policy cat.policy
answers 2 diff cat.policy
answers 2 check cat.policy
echo "ok: $checks checks"

# What cannot be written whole is no success: a policy may be what standard output is kept in.
for command in "check cat.policy cat.json" "lint cat.policy" "explain cat.policy read" "explain cat.policy" "diff cat.policy cat.policy" "merge cat.policy cat.policy" \
  "convert --to oci cat.policy" "show cat.json"; do
  status=0
  # shellcheck disable=SC2086  # words
  "$cordon" $command >/dev/full 2>told || status=$?
  expect_equal "a full disk: $command" 125 "$status"
  expect_contains "and is told" "write to standard output: No space left on device" "$(cat told)"
done
