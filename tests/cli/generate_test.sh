#!/bin/bash
# generate_test.sh BUILD_DIR: the options of `cordon generate`, and what they change in the bundle.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
cd "$work"
"${cordon:?}" profile -o cat.json -- cat /etc/hostname >/dev/null

"$cordon" generate cat.json 2>said
expect_contains "it says what it proved" "recorded calls hold" "$(cat said)"
[[ -d cat.policy ]] || die "the default folder is not cat.policy: $(ls)"
ok "the folder is called after the program"
expect_contains "so is the policy" '"name": "cat"' "$(cat cat.policy/proof.json)"
recorded=$(sed -n 's/.*"recorded_calls": \([0-9]*\).*/\1/p' cat.policy/proof.json)
[[ $recorded -gt 10 ]] || die "only $recorded recorded calls in the proof"
expect_equal "every reader holds all of them" 5 "$(grep -c "\"hold\": $recorded\$" cat.policy/proof.json)"
expect_contains "each call has its evidence" "by /usr/bin/cat" "$(cat cat.policy/why.json)"

# rule_of FOLDER NAME: the action and comment of the rule that names it.
rule_of() {
  # shellcheck disable=SC2016  # for awk
  /usr/bin/env -i awk -v name="\"$2\"" '
    /"names": \[/ { hit = 0 } index($0, name) { hit = 1 }
    hit && /"action"|"errnoRet"|"comment"/ { print } hit && /^    }/ { exit }' "$1/seccomp.json"
}
expect_contains "what was seen is allowed" ALLOW "$(rule_of cat.policy openat)"
expect_contains "what was not is refused" '"errnoRet": 1' "$(rule_of cat.policy unshare)"
expect_contains "what libc does without is absent" '"errnoRet": 38' "$(rule_of cat.policy clone3)"
expect_contains "what runc needs is marked" "base set of runc" "$(rule_of cat.policy getppid)"
expect_contains "and what crun needs, since it may be started by any" "base set of crun" "$(rule_of cat.policy setresgid)"
expect_contains "what portability adds is marked" "portability, family open" "$(rule_of cat.policy creat)"

"$cordon" generate cat.json --runtime crun -o crun.policy 2>/dev/null
expect_contains "crun has another base set" "base set of crun" "$(rule_of crun.policy capset)"
"$cordon" generate cat.json --runtime cordon -o cordon.policy 2>/dev/null
expect_contains "cordon needs no capset" ERRNO "$(rule_of cordon.policy capset)"
expect_equal "cordon has no_new_privileges" 1 "$(grep -c '"noNewPrivileges": true' cordon.policy/config.json)"
"$cordon" generate cat.json --runtime cordon --no-new-privileges off -o off.policy 2>/dev/null
expect_contains "without it cordon needs capset" "base set of cordon" "$(rule_of off.policy capset)"
expect_equal "and config.json says so" 1 "$(grep -c '"noNewPrivileges": false' off.policy/config.json)"
"$cordon" generate cat.json --runtime docker --no-new-privileges on -o on.policy 2>/dev/null
expect_contains "with it runc needs no setgid" '"errnoRet": 1' "$(rule_of on.policy setgid)"
expect_contains "without saying so it is allowed" "without no_new_privileges" "$(rule_of cat.policy setgid)"
"$cordon" generate cat.json --runtime runc-1.1 -o runc11.policy 2>/dev/null
expect_contains "runc 1.1 makes no recvfrom" '"errnoRet": 1' "$(rule_of runc11.policy recvfrom)"
expect_contains "later ones do" "base set of runc 1.2-1.4" "$(rule_of cat.policy recvfrom)"
cat >set.json <<'JSON'
{ "base_set_version": 1, "runtime": "runc", "version": "9.9",
  "groups": [ { "reason": "measured", "versions": "9.9", "no_new_privileges": "either", "names": [ "acct" ] } ] }
JSON
"$cordon" generate cat.json --base-set set.json -o measured.policy 2>/dev/null
expect_contains "a measured base set" "base set of the runtime here 9.9" "$(rule_of measured.policy acct)"
expect_contains "takes the place of the known one" '"errnoRet": 1' "$(rule_of measured.policy setgid)"

"$cordon" generate cat.json --exact -o exact.policy 2>/dev/null
expect_contains "--exact adds no equivalents" '"errnoRet": 1' "$(rule_of exact.policy creat)"
"$cordon" generate cat.json --on-violation log -o log.policy 2>/dev/null
expect_contains "--on-violation log" SCMP_ACT_LOG "$(rule_of log.policy unshare)"
"$cordon" generate cat.json --on-violation kill -o kill.policy 2>/dev/null
expect_contains "--on-violation kill" SCMP_ACT_KILL_PROCESS "$(rule_of kill.policy unshare)"
expect_contains "and absent calls stay absent" '"errnoRet": 38' "$(rule_of kill.policy clone3)"
"$cordon" generate cat.json --on-violation notify -o notify.policy 2>/dev/null
expect_contains "--on-violation notify" SCMP_ACT_NOTIFY "$(rule_of notify.policy unshare)"
"$cordon" generate cat.json --seccomp-format oci -o oci.policy 2>/dev/null
expect_missing "--seccomp-format oci has no comments" '"comment"' "$(cat oci.policy/seccomp.json)"
expect_contains "--seccomp-format docker has" '"comment"' "$(cat cat.policy/seccomp.json)"

"$cordon" generate cat.json -o cat.policy --name other 2>/dev/null
expect_contains "a bundle is replaced" '"name": "other"' "$(cat cat.policy/proof.json)"
[[ ! -e cat.policy/cat.cil ]] || die "a part of the former bundle is left"
ok "as a whole"

# expect_usage WHAT PART ARGUMENT…
expect_usage() {
  local what=$1 part=$2 status=0
  shift 2
  "$cordon" generate "$@" >out 2>err || status=$?
  [[ $status == 2 ]] || die "$what: wanted exit 2, got $status: $(cat err)"
  expect_contains "$what" "$part" "$(cat err)"
}
expect_usage "a name that is a path" "../x" cat.json --name ../x
expect_usage "an unknown runtime" "youki" cat.json --runtime youki
expect_usage "an engine's release" "runc-1.1" cat.json --runtime docker-20.10
expect_usage "a release that is none" "runc-1.1" cat.json --runtime runc-latest
expect_usage "an unknown format" "systemd" cat.json --seccomp-format systemd
expect_usage "both widths at once" "exact" cat.json --exact --portable
expect_usage "an SELinux target that is not there" "nowhere" cat.json --target /nowhere
expect_usage "a name that the SELinux target has" "has a module redis already: choose another --name, such as cordon_redis" cat.json --name redis --target refpolicy-debian12
"$cordon" generate cat.json --name redisserver --target refpolicy-debian12 2>err || die "a name that it has not is refused, too: $(cat err)"
[[ ! -e redis.policy && ! -e ../x.policy && ! -e x.policy ]] || die "something was written"
echo "ok: $checks checks"
