#!/bin/bash
# malformed_test.sh BUILD_DIR: malformed input gives one sentence that names the file and the place, exit 2, and nothing half-written.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
cd "$work"

# expect_refusal WHAT PARTS COMMAND…: exit 2, one line on standard error that holds each of PARTS, nothing on standard output, and the
# folder as it was.
expect_refusal() {
  local what=$1 parts=$2 status=0 before part
  shift 2
  before=$(find . -not -name stdout -not -name stderr | sort)
  "$@" >stdout 2>stderr </dev/null || status=$?
  [[ $status == 2 ]] || die "$what: wanted exit 2, got $status: $(cat stderr)"
  [[ $(wc -l <stderr) == 1 ]] || die "$what: wanted one line, got: $(cat stderr)"
  for part in $parts; do
    grep -qF -- "$part" stderr || die "$what: '$part' is not in: $(cat stderr)"
  done
  [[ ! -s stdout ]] || die "$what: something on standard output: $(cat stdout)"
  [[ $(find . -not -name stdout -not -name stderr | sort) == "$before" ]] || die "$what: something was left behind: $(find .)"
  ok "$what: $(cat stderr)"
}

"${cordon:?}" profile -o good.json -- cat /etc/hostname >/dev/null
"$cordon" generate good.json --name good -o good.policy >/dev/null
ok "the control: the untouched recording is taken"

head -c 300 good.json >truncated.json
expect_refusal "a truncated recording" "truncated.json line" "$cordon" generate truncated.json -o out.policy
: >empty.json
expect_refusal "an empty recording" "empty.json" "$cordon" generate empty.json -o out.policy
sed 's/"schema_version": *[0-9]*/"schema_version": 999/' good.json >future.json
expect_refusal "a recording of another schema version" "future.json /schema_version 999" \
  "$cordon" generate future.json -o out.policy
sed '0,/"nr": *[0-9]*/s//"nr": "x"/' good.json >type.json
expect_refusal "a number that is text" "type.json /syscalls/0/nr" "$cordon" generate type.json -o out.policy
expect_refusal "a recording that is not there" "missing.json" "$cordon" generate missing.json -o out.policy
expect_refusal "a recording that is a folder" "good.policy" "$cordon" generate good.policy -o out.policy
expect_refusal "one bad recording among good ones" "truncated.json" "$cordon" generate good.json truncated.json -o out.policy

# Only a bundle is ever replaced.
mkdir precious
echo mine >precious/file
expect_refusal "an output folder that is no bundle" "precious" "$cordon" generate good.json -o precious
expect_equal "and is as it was" mine "$(cat precious/file)"
: >plain
expect_refusal "an output below a file" "plain/out.policy" "$cordon" generate good.json -o plain/out.policy
expect_refusal "a recording below a file" "plain/out.json" "$cordon" profile -o plain/out.json -- true
expect_refusal "a recording to append to that is broken" "truncated.json" \
  "$cordon" profile --append truncated.json -- true
before=$(sha256sum good.policy/*)
expect_refusal "a bad recording over a good bundle" "truncated.json" "$cordon" generate truncated.json -o good.policy
expect_equal "and the bundle is as it was" "$before" "$(sha256sum good.policy/*)"

# Bundles.
for part in seccomp.json config.json proof.json good.cil; do
  cp -r good.policy broken.policy
  rm "broken.policy/$part"
  expect_refusal "a bundle without $part" "broken.policy $part" "$cordon" run --policy broken.policy -- true
  rm -r broken.policy
done
cp -r good.policy broken.policy
sed -i '0,/SCMP_ACT_ALLOW/s//SCMP_ACT_PERHAPS/' broken.policy/seccomp.json
expect_refusal "a seccomp profile with an unknown action" "broken.policy/seccomp.json SCMP_ACT_PERHAPS /syscalls/" \
  "$cordon" run --policy broken.policy -- true
rm -r broken.policy
cp -r good.policy broken.policy
head -c 100 good.policy/config.json >broken.policy/config.json
expect_refusal "a truncated config.json" "broken.policy/config.json line" "$cordon" run --policy broken.policy -- true
rm -r broken.policy
expect_refusal "a policy that is not there" "nowhere.policy" "$cordon" run --policy nowhere.policy -- true

# Usage.
status=0
"$cordon" generate >/dev/null 2>&1 || status=$?
expect_equal "generate without a recording is wrong usage" 2 $status
status=0
"$cordon" profile --no-such-option -- true >/dev/null 2>&1 || status=$?
expect_equal "an unknown option is wrong usage" 2 $status
echo "ok: $checks checks"
