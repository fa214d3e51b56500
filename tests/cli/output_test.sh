#!/bin/bash
# output_test.sh BUILD_DIR: what is printed of workloads, recordings and policies does nothing to a terminal, and what
# could not be written is no success.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
cordon=${cordon:?}
cd "$work"
escape=$'\e' name=output-$$
hostile=$'evil\e]0;OWNED\a\nFAKE ROW'

# expect_harmless WHAT: the files out and err tell of the hostile text, and have no control byte of it.
expect_harmless() {
  local text
  text=$(cat out err)
  expect_contains "$1: it is shown" '\x1b]0;OWNED\x07' "$text"
  expect_missing "$1: no byte acts on a terminal" "$escape" "$text"
  ! grep -q "^FAKE ROW" out err || die "$1: a row of its own: $text"
}
# said COMMAND…: what it prints in the files out and err, its exit status in $status.
said() {
  status=0
  "$@" >out 2>err || status=$?
}

# 1. A running workload.
# shellcheck disable=SC2016  # for the inner shell
start_server "$work/log" "$cordon" run --name "$name" -- bash -c 'exec -a "$0" sleep 1000' "$hostile"
# shellcheck disable=SC2317  # wait_for calls it
began() { "$cordon" top "$name" --json | grep -q "FAKE ROW"; }
wait_for "the workload: $(cat log)" 30 began
said "$cordon" top "$name"
expect_harmless top
said "$cordon" tree "$name"
expect_harmless tree
said "$cordon" inspect "$name" -Z
expect_harmless "inspect -Z"
said "$cordon" list
expect_harmless list

# What cannot be written is no success.
for command in "list" "list --json" "list -q" "inspect $name" "inspect $name -Z" "inspect $name --field pid" "top $name" "top $name --json" \
  "tree $name" "stats $name --no-stream" "stats $name --no-stream --json" "stats $name" "doctor" "doctor --json"; do
  status=0
  # shellcheck disable=SC2086  # words
  timeout 60 "$cordon" $command >/dev/full 2>err || status=$?
  expect_equal "$command to a full disk" 125 "$status"
  expect_contains "is said" "write to standard output: No space left on device" "$(cat err)"
done
status=0
"$cordon" run --detach --name "$name-full" -- sleep 1000 >/dev/full 2>err || status=$?
at_end "$cordon" rm --force "$name-full"
expect_equal "run --detach whose word is lost" 125 "$status"
expect_equal "leaves what it began" running "$("$cordon" inspect "$name-full" --field status)"

# 2. A recording.
"$cordon" profile --quiet -o plain.json -- true
/usr/bin/python3 -I - "$hostile" <<'PY'
import json, sys
recording = json.load(open("plain.json"))
run = recording["runs"][0]
run["limitations"] = [{"kind": "later", "detail": sys.argv[1]}]
json.dump(recording, open("detail.json", "w"))
run["limitations"] = [{"kind": sys.argv[1], "detail": ""}]
json.dump(recording, open("kind.json", "w"))
run["limitations"] = []
run["host"]["kernel"] = sys.argv[1]
json.dump(recording, open("kernel.json", "w"))
run["host"]["kernel"] = ""
run["tier"] = sys.argv[1]
json.dump(recording, open("tier.json", "w"))
PY
for part in detail kind kernel tier; do
  said "$cordon" show $part.json
  expect_equal "a recording may have it" 0 "$status"
  expect_harmless "show, a hostile $part"
done

# 3. A policy.
"$cordon" generate plain.json --name plain --runtime cordon -o plain.policy 2>/dev/null
for part in namespace network rlimit; do
  rm -rf hostile.policy
  cp -r plain.policy hostile.policy
  /usr/bin/python3 -I - "$hostile" $part <<'PY'
import json, sys
path = "hostile.policy/config.json"
config = json.load(open(path))
if sys.argv[2] == "namespace":
    config["linux"]["namespaces"].append({"type": sys.argv[1]})
elif sys.argv[2] == "rlimit":
    config["process"]["rlimits"] = [{"type": "RLIMIT_" + sys.argv[1], "hard": 1, "soft": 1}]
else:
    config["annotations"]["dev.cordon.network"] = sys.argv[1]
json.dump(config, open(path, "w"))
PY
  said "$cordon" run --policy hostile.policy -- true
  ((status != 0)) || die "a hostile $part was taken"
  expect_harmless "run, a hostile $part"
done
rm -rf hostile.policy
cp -r plain.policy hostile.policy
type=$(/usr/bin/python3 -I - "$hostile" <<'PY'
import json, sys
path = "hostile.policy/why.json"
why = json.load(open(path))
one = why["selinux"]["types"][0]
one["attributes"] = [sys.argv[1]]
json.dump(why, open(path, "w"))
print(one["type"])
PY
)
said "$cordon" explain hostile.policy "$type"
expect_harmless "explain, a hostile attribute"
echo "ok: $checks checks"
