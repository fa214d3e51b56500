#!/bin/bash
# selinux_commands_test.sh BUILD_DIR: what `cordon check` answers about SELinux policies of every kind, in words, in JSON, SARIF and JUnit's XML.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
# shellcheck source=tests/testing/answers.sh
source "$here/../testing/answers.sh"
cd "$work"

echo secret >reader.conf
"${cordon:?}" profile -o cat.json -- cat reader.conf >/dev/null
"$cordon" profile -o passwd.json -- cat reader.conf /etc/gshadow /etc/hostname >/dev/null || skip "/etc/gshadow cannot be read here"
"$cordon" generate cat.json -o cat.policy --name reader --target refpolicy-debian12 2>/dev/null

# A bundle is asked for both parts, a module for its own.
answers 0 check cat.policy cat.json
expect_contains "a folder's calls hold" "recorded calls hold under 'cat.policy'" "$said"
expect_contains "and its accesses are allowed" "recorded accesses are allowed to reader_t under 'cat.policy'" "$said"
answers 0 check cat.policy/reader.cil cat.json --target refpolicy-debian12
expect_missing "a module has no calls" "calls hold" "$said"
answers 1 check cat.policy/reader.cil passwd.json --target refpolicy-debian12
expect_contains "the missing rule is named" "missing: allow reader_t shadow_t:file { getattr open read };" "$said"
expect_contains "and who needs it for what" "'/etc/gshadow', by '/usr/bin/cat'" "$said"
answers 1 check cat.policy passwd.json

answers 1 check --json cat.policy passwd.json
/usr/bin/python3 - said <<'PYTHON' || die "the JSON is not what it should be: $said"
import json, sys
document = json.load(open(sys.argv[1]))
assert document["holds"] is False
selinux = document["recordings"][0]["selinux"]
assert selinux["domain"] == "reader_t" and selinux["target"] == "refpolicy-debian12"
denied = [d for d in selinux["denied"] if d["place"] == "/etc/gshadow"]
assert [(d["type"], d["class"], d["permissions"], d["executables"]) for d in denied] == [
    ("shadow_t", "file", ["getattr", "open", "read"], ["/usr/bin/cat"])]
assert denied[0]["missing_rule"] == "allow reader_t shadow_t:file { getattr open read };" and denied[0]["count"] >= 1
missing = sum(len(d["permissions"]) + len(d["requests"]) for d in selinux["denied"])
assert selinux["allowed"] + missing == selinux["asked"]
PYTHON
ok "--json says the same"
answers 1 check --sarif cat.policy passwd.json
/usr/bin/python3 - said <<'PYTHON' || die "the SARIF is not what it should be: $said"
import json, sys
run, = json.load(open(sys.argv[1]))["runs"]
assert {r["id"] for r in run["tool"]["driver"]["rules"]} == {"call-not-held", "access-denied"}
denied = [r["message"]["text"] for r in run["results"] if r["ruleId"] == "access-denied"]
assert any("'/etc/gshadow'" in text and "shadow_t:file" in text for text in denied)
PYTHON
ok "--sarif says the same"
answers 1 check --junit cat.policy passwd.json
/usr/bin/python3 - said <<'PYTHON' || die "the XML is not what it should be: $said"
import sys
from xml.etree import ElementTree
suite, = ElementTree.parse(sys.argv[1]).getroot().findall("testsuite")
cases = suite.findall("testcase")
assert len(cases) == int(suite.get("tests"))
assert len([c for c in cases if c.find("failure") is not None]) == int(suite.get("failures"))
assert any(c.get("name") == "/etc/gshadow" for c in cases)
PYTHON
ok "--junit says the same"

# Other kinds of file, and what is none.
refused "no type 'nosuch_t'" check cat.policy cat.json --domain nosuch_t
refused "--target names another policy" check cat.policy cat.json --target /nonexistent
printf '(allow reader_t nosuch_t (file (read)))' >bad.cil
refused "bad.cil" check bad.cil cat.json --target refpolicy-debian12
if command -v secilc >/dev/null; then
  cat >small.cil <<'CIL'
(handleunknown allow)(mls true)(sensitivity s0)(sensitivityorder (s0))(category c0)(categoryorder (c0))(sensitivitycategory s0 (c0))
(sid kernel)(sidorder (kernel))(sidcontext kernel (system_u system_r kernel_t ((s0) (s0))))
(user system_u)(userrole system_u system_r)(userrole system_u object_r)(userlevel system_u (s0))(userrange system_u ((s0) (s0 (c0))))
(role object_r)(role system_r)(type kernel_t)(type reader_t)(type shadow_t)(roletype system_r reader_t)(roletype system_r kernel_t)
(roletype object_r shadow_t)(class file (getattr open read))(classorder (file))(allow reader_t shadow_t (file (getattr)))
CIL
  secilc -o small.33 -f small.contexts small.cil
  echo '/etc/gshadow -- system_u:object_r:shadow_t:s0' >small.contexts
  answers 1 check small.33 passwd.json --domain reader_t --file-contexts small.contexts
  expect_contains "a compiled policy names what is missing" "missing: allow reader_t shadow_t:file { open read };" "$said"
  refused "name one with --domain" check small.33 passwd.json --file-contexts small.contexts
  head -c 300 small.33 >torn.33
  refused "torn.33" check torn.33 passwd.json --domain reader_t
fi
if command -v checkmodule >/dev/null && [[ -x /usr/libexec/selinux/hll/pp ]]; then
  checkmodule -M -m -o reader.mod cat.policy/reader.te >/dev/null
  semodule_package -o reader.pp -m reader.mod -f cat.policy/reader.fc
  answers 0 check reader.pp cat.json --target refpolicy-debian12
  expect_contains "a module package answers too" "accesses are allowed to reader_t under 'reader.pp'" "$said"
  answers 1 check reader.pp passwd.json --target refpolicy-debian12
fi

# explain: a type, the domain, a path
answers 0 explain cat.policy reader_t
expect_contains "the domain is called so" "'reader_t': the domain of the workload" "$said"
expect_contains "with what it does to itself" "allow reader_t self:process { " "$said"
"$cordon" generate passwd.json -o passwd.policy --name reader --target refpolicy-debian12 2>/dev/null
answers 0 explain passwd.policy shadow_t
expect_contains "a type has its rule" "allow reader_t shadow_t:file { getattr open read };" "$said"
expect_contains "and the rule who did what to which path" "'/etc/gshadow': getattr open read, " "$said"
expect_contains "how often and by whom" " times in one run, by '/usr/bin/cat'" "$said"
answers 1 explain cat.policy shadow_t
expect_contains "which the other policy does not have" "'shadow_t': nothing in the policy names it" "$said"
answers 0 explain --json passwd.policy /etc/gshadow
/usr/bin/python3 - said <<'PYTHON' || die "the JSON is not what it should be: $said"
import json, sys
document = json.load(open(sys.argv[1]))
assert (document["subject"], document["domain"]) == ("/etc/gshadow", "reader_t")
rule, = document["rules"]
assert (rule["source"], rule["target"], rule["class"]) == ("reader_t", "shadow_t", "file")
need, = rule["by"]
assert need["place"] == "/etc/gshadow" and need["count"] >= 1 and need["executables"] == ["/usr/bin/cat"]
PYTHON
ok "a path has its rules, also as JSON"
refused "only a policy folder" explain cat.policy/seccomp.json reader_t
refused "--json is for" explain --json cat.policy openat
cp -r cat.policy torn.policy
head -c 300 cat.policy/why.json >torn.policy/why.json
refused "torn.policy/why.json" explain torn.policy reader_t

# merge --avc: denials become part of a recording, and are allowed by what is generated from it
cat >audit.log <<'LOG'
type=AVC msg=audit(1700000000.1:7): avc:  denied  { getattr read open } for  pid=1 comm="cat" name="gshadow" dev="dm-0" ino=77 scontext=system_u:system_r:reader_t:s0 tcontext=system_u:object_r:shadow_t:s0 tclass=file permissive=1
type=SYSCALL msg=audit(1700000000.1:7): arch=c000003e syscall=257 success=yes exit=3 exe="/usr/bin/cat"
type=CWD msg=audit(1700000000.1:7): cwd="/etc"
type=PATH msg=audit(1700000000.1:7): item=0 name=2F6574632F67736861646F77 inode=77 dev=fd:00 mode=0100640 nametype=NORMAL
LOG
answers 0 merge cat.json --avc audit.log -o with.json
answers 0 merge with.json --avc audit.log -o twice.json
expect_equal "the same denials twice add nothing" "$(cat with.json)" "$(cat twice.json)"
"$cordon" generate with.json -o with.policy --name reader --target refpolicy-debian12 2>/dev/null
answers 0 explain with.policy shadow_t
expect_contains "what was denied is allowed, and marked" "'/etc/gshadow': getattr open read, 1 times in one run, by 'denied: /usr/bin/cat'" "$said"
answers 1 check with.policy passwd.json
expect_missing "it is missing no longer" "shadow_t:file" "$said"
answers 0 show with.json
head -c 150 audit.log >cut.log
refused "'cut.log' line 1: a denial that is cut off" merge cat.json --avc cut.log
refused "no SELinux denial" merge cat.json --avc cat.policy/reader.te
refused "no denial of 'other_t'" merge cat.json --avc audit.log --domain other_t
refused "is a policy" merge cat.policy --avc audit.log
refused "no policy and no recording is named" merge
