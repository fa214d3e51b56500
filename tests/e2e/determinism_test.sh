#!/bin/bash
# determinism_test.sh BUILD_DIR: `generate` gives the same bytes for the same recordings in any order and however often they are named.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
cd "$work"
"${cordon:?}" profile -o a.json -- cat /etc/hostname >/dev/null
"$cordon" profile -o b.json -- sh -c 'echo x > b.txt; ls -l /etc/passwd; id' >/dev/null
"$cordon" profile -o c.json -- sort /etc/group >/dev/null

# generate FOLDER RECORDING…
generate() {
  local folder=$1
  shift
  "$cordon" generate "$@" --name app -o "$folder" >/dev/null
}
generate first a.json b.json c.json
generate again a.json b.json c.json
generate turned c.json a.json b.json
generate doubled b.json b.json c.json a.json c.json
for other in again turned doubled; do
  diff -r first "$other" >differences || die "the bytes differ ($other): $(head -5 differences)"
  ok "the same bytes: $other"
done
generate less a.json
if diff -rq first less >/dev/null; then
  die "fewer recordings gave the same bundle: the comparison compares nothing"
fi
ok "the control: fewer recordings give other bytes"
package=
if [[ -n $(PATH=$PATH:/usr/sbin type -P checkmodule) && -n $(type -P semodule_package) ]]; then
  package=" app.pp"
fi
expect_equal "every file of a bundle is there" "app.cil app.fc$package app.te config.json proof.json report.html seccomp.bpf seccomp.json why.json" \
  "$(cd first && find . -type f -printf '%f\n' | LC_ALL=C sort | xargs)"
echo "ok: $checks checks"
