#!/bin/bash
# committed_test.sh BUILD_DIR: every policy in policies/examples is what its recording gives today, and nothing in either is of the machine that
# they were made on.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
# shellcheck source=policies/examples/workloads.sh
source "$here/../../policies/examples/workloads.sh"
cordon=${cordon:?}

folders=$(cd "${examples:?}" && find . -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort | xargs)
expect_equal "every example has a workload, and every workload an example" "$(workload_names | sort | xargs)" "$folders"

for name in $folders; do
  recording=$examples/$name/$name.recording.json kept=$examples/$name/$name.policy made=$work/$name.policy
  "$cordon" generate "$recording" --name "cordon_$name" --target refpolicy-debian12 -o "$made" 2>"$work/said" || die "$name: $(<"$work/said")"
  "$cordon" check "$kept" "$recording" >"$work/said" 2>&1 || die "$name: its policy does not allow what its recording has: $(<"$work/said")"
  "$cordon" diff "$kept" "$made" >"$work/said" 2>&1 || die "$name: the policy is not what its recording gives today: $(<"$work/said")"
  for part in "cordon_$name.cil" "cordon_$name.fc" config.json; do
    cmp "$kept/$part" "$made/$part" || die "$name: $part is not what the recording gives today: run policies/examples/learn.sh again, or generate"
  done
  ok "$name: its policy is what its recording gives, and allows all of it"
done

found=$(grep -rlE "$(realpath "$here/../..")|/var/tmp|/tmp/|/home/|/root/" "$examples"/*/*.json "$examples"/*/*.policy || true)
expect_equal "no folder of a machine is in them" "" "$found"

# The control: a policy that lacks one rule is another one.
cp -r "$examples/nginx/nginx.policy" "$work/changed.policy"
/usr/bin/python3 -I - "$work/changed.policy/seccomp.json" <<'PY'
import json, sys
with open(sys.argv[1], encoding="utf-8") as file:
    policy = json.load(file)
policy["syscalls"] = [rule for rule in policy["syscalls"] if "sendfile" not in rule["names"]]
with open(sys.argv[1], "w", encoding="utf-8") as file:
    json.dump(policy, file)
PY
"$cordon" diff "$work/changed.policy" "$work/nginx.policy" >"$work/said" 2>&1 && die "diff does not see that sendfile is missing"
expect_contains "control: a missing rule is seen" sendfile "$(<"$work/said")"
echo "ok: $checks checks"
