#!/bin/bash
# landlock_refusals_test.sh BUILD_DIR: what Landlock refuses is reported where the kernel's audit tells, and where not, run says why. Turns
# audit on for that, and back.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
cordon=${cordon:?} work=${work:?}
need_root
switch() { /usr/bin/python3 -I "$here/audit_switch.py" "$@"; }
cd "$work"
echo given >given
cat >workload.sh <<'SH'
while read -r file; do cat "$file"; done
SH
echo given | "$cordon" profile --quiet -o learned.json -- sh workload.sh >/dev/null
"$cordon" generate learned.json --name refusals --runtime cordon -o learned.policy 2>/dev/null
first=$("$cordon" run --policy learned.policy -- sh workload.sh 2>&1 </dev/null)
[[ $first == *"held by Landlock"* ]] || skip "files are not held by Landlock here: $first"
[[ $first != *"this kernel"* && $first != *"in a container"* ]] || skip "${first##*, and }"
before=$(switch) || skip "the kernel's audit cannot be asked: $before"
[[ $before != 2 ]] || skip "the kernel's audit is locked"

if [[ $before == 0 ]]; then
  expect_contains "while audit is off, run says so" "and is not reported: the kernel's audit, which would tell, is off" "$first"
fi
expect_contains "as for who may not read it" "and is not reported: reading the kernel's audit takes CAP_AUDIT_READ" \
  "$(setpriv --bounding-set=-audit_read "$cordon" run --policy learned.policy -- true 2>&1 || true)"
restore() { switch "$before" >/dev/null; }
at_end restore
switch 1 >/dev/null

# sandbox: one that reads what is written to $input; its name in $name.
sandbox() {
  name=refusals-$$-$1
  : >"$name.err"
  mkfifo "$name.in"
  "$cordon" run --name "$name" --policy learned.policy --report-file "$name.jsonl" -- sh workload.sh <"$name.in" >"$name.out" 2>"$name.err" &
  server=$!
  at_end stop_pid "$server"
  exec {input}>"$name.in"
  wait_for "the sandbox: $(cat "$name.err")" 20 grep -q "and is reported" "$name.err"
}
says() { grep -qF "$1" "$name.err"; }

sandbox one
ok "with audit, run says that what is refused is reported"
echo given >&"$input"
wait_for "what was learned" 20 grep -q given "$name.out"
echo /etc/shells >&"$input"
wait_for "the report: $(cat "$name.err")" 20 says "read_file of '/etc/shells'"
line=$(grep -F "'/etc/shells'" "$name.err")
expect_contains "the call, the right and the file" "refused openat(…), read_file of '/etc/shells' = EACCES by 'cat' (pid " "$line"
expect_contains "the program" "'/usr/bin/cat')" "$line"
expect_contains "the rule" 'the file rule that allows it: {"path":"/etc/shells","access":["read_file"]}' "$line"
expect_missing "and nothing of what was allowed" "given" "$(grep refused "$name.err" || true)"
/usr/bin/python3 -I - "$name.jsonl" <<'PY' || die "the report file: $(cat "$name.jsonl")"
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
shells = [line for line in lines if "/etc/shells" in line["call"]]
assert len(shells) == 1 and shells[0]["name"] == "openat" and shells[0]["errno"] == "EACCES", lines
assert shells[0]["rules"] == {"landlock": [{"path": "/etc/shells", "access": ["read_file"]}]}, shells
PY
ok "it is in the report file"
[[ $("$cordon" inspect "$name" --field violations) -gt 0 ]] || die "inspect does not count it"
ok "inspect counts it"
first_name=$name

# What is refused elsewhere is not reported here.
sandbox two
echo /etc/fstab >&"$input"
wait_for "the other's report" 20 says "read_file of '/etc/fstab'"
exec {input}>&-
wait "$server" || true
name=$first_name
expect_missing "another sandbox's refusals are its own" "/etc/fstab" "$(cat "$name.err")"
status=0
"$cordon" exec "$name" -- cat /etc/issue >/dev/null 2>&1 || status=$?
expect_equal "a further command is held, too" 1 "$status"
wait_for "the report of it" 20 says "read_file of '/etc/issue'"
ok "and its refusals are reported"

# What a workload refuses itself is not the policy's doing, although the process is the one that cordon launched.
cat >restrict.py <<'PY'
import ctypes, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
def read(path):
    try:
        print(path, open(path).read().strip())
    except OSError as error:
        print(path, error.strerror)
read("given")
if sys.argv[1:]:
    read("/etc/shells")
rules = ctypes.create_string_buffer(struct.pack("Q", 1 << 2), 8)  # LANDLOCK_ACCESS_FS_READ_FILE
ruleset = libc.syscall(444, rules, 8, 0)
libc.prctl(38, 1, 0, 0, 0)
assert libc.syscall(446, ruleset, 0) == 0, ctypes.get_errno()
read("given")
PY
"$cordon" profile --quiet -o restrict.json -- /usr/bin/python3 -I restrict.py >/dev/null
"$cordon" generate restrict.json --name restrict --runtime cordon -o restrict.policy 2>/dev/null
"$cordon" run --policy restrict.policy -- /usr/bin/python3 -I restrict.py more >out 2>err || die "$(cat out err)"
expect_equal "its own rules refuse" "given given /etc/shells Permission denied given Permission denied" "$(tr '\n' ' ' <out | sed 's/ $//')"
expect_contains "control: what the policy refuses it is reported" "read_file of '/etc/shells'" "$(cat err)"
expect_missing "what its own rules refuse is not" "/given'" "$(cat err)"

"$cordon" run --policy learned.policy --report none -- cat /etc/shells >out 2>err || true
expect_contains "--report none" "and is not reported: --report none" "$(cat err)"
expect_missing "reports nothing" "refused" "$(grep -v "what it refuses" err || true)"
echo "ok: $checks checks"
