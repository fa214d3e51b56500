#!/bin/bash
# convert_test.sh BUILD_DIR: a policy in the words of every target, read back where somebody here reads them; a warning for each loss.
# shellcheck source=tests/testing/harness.sh
source "$(dirname "${BASH_SOURCE[0]}")/../testing/harness.sh"
cordon=${cordon:?}
cd "$work"
"$cordon" profile --quiet -o app.json -- cat /etc/hostname >/dev/null
"$cordon" generate app.json --name app -o app.policy

for target in docker oci podman; do
  "$cordon" convert app.policy --to "$target" >"$target.json" 2>"$target.err"
  "$cordon" diff app.policy "$target.json" >differences || die "$target: it means something else: $(cat differences)"
  ok "$target: it means the same"
done
expect_equal "docker's is the bundle's own" "$(cat app.policy/seccomp.json)" "$(cat docker.json)"
expect_contains "docker: the loss is said" "warning: Docker 20.10 has no errno for the default action" "$(cat docker.err)"
expect_contains "oci: the loss is said" "no comments" "$(cat oci.err)"
expect_equal "podman loses nothing" "" "$(cat podman.err)"

"$cordon" convert app.policy/seccomp.json --name app --to kubernetes >object.json 2>err
expect_contains "kubernetes: the object" '"kind": "SeccompProfile"' "$(head -3 object.json)"
expect_missing "a profile alone has no SELinux module" SELinux "$(cat err)"
"$cordon" convert app.policy --to kubernetes >objects.json 2>err
/usr/bin/python3 - objects.json object.json app.policy/app.cil <<'PYTHON' || die "the list is not what it should be: $(cat objects.json)"
import json, sys
listed, alone = (json.load(open(file)) for file in sys.argv[1:3])
assert (listed["apiVersion"], listed["kind"]) == ("v1", "List")
profile, module = listed["items"]
assert profile == alone
assert (module["apiVersion"], module["kind"]) == ("security-profiles-operator.x-k8s.io/v1alpha2", "RawSelinuxProfile")
assert module["metadata"] == {"name": "app"}
policy = module["spec"]["policy"].splitlines()
assert policy[-2:] == ["(typealias process)", "(typealiasactual process app_t)"]
assert policy[:-2] == [line for line in open(sys.argv[3]).read().splitlines() if line and line[0] != ";"]
PYTHON
ok "a bundle's SELinux module is beside it"
for loss in "no comments" "lets the domains that start programs there into app_t" "restorecon" "1.0 refuses raw profiles with .* roletype ("; do
  grep -q "^cordon: warning: .*$loss" err || die "not said: $loss: $(cat err)"
  ok "and what is lost: $loss"
done
expect_contains "is called as the policy" '"name": "app"' "$(cat objects.json)"
expect_contains "or as --name says" '"name": "other"' "$("$cordon" convert app.policy --to kubernetes --name other 2>/dev/null)"

"$cordon" convert app.policy --to systemd >app.conf 2>err
expect_contains "systemd: the answers it cannot give are said" "get ENOSYS instead of EPERM" "$(cat err)"
expect_contains "and what it opens" "@default" "$(cat err)"
if command -v systemd-analyze >/dev/null; then
  { cat app.conf && echo ExecStart=/bin/true; } >app.service
  said=$(systemd-analyze verify --man=no ./app.service 2>&1) || die "systemd does not take the drop-in: $said"
  expect_missing "systemd takes every word of it" app.service "$said"
  sed 's/^SystemCallFilter=/SystemCallFilter=no_such_call /' app.service >broken.service
  expect_contains "control: a call that is none" no_such_call "$(systemd-analyze verify --man=no ./broken.service 2>&1)"
fi

"$cordon" convert app.policy --to bpf >program 2>err
(($(stat -c %s program) % 8 == 0 && $(stat -c %s program) > 80)) || die "that is no program: $(stat -c %s program) bytes"
ok "bpf: a program"

# expect_refusal WHAT STATUS PART ARGUMENT…
expect_refusal() {
  local what=$1 wanted=$2 part=$3 status=0
  shift 3
  "$cordon" convert "$@" >out 2>err || status=$?
  expect_equal "$what" "$wanted" "$status"
  expect_contains "$what: why" "$part" "$(cat err)"
}
expect_refusal "an unknown target" 2 kubernetes app.policy --to apparmor
expect_refusal "a policy that is not there" 2 nowhere nowhere --to oci
expect_refusal "a name that no object can have" 2 "Kubernetes" app.policy --to kubernetes --name A_b
echo "ok: $checks checks"
