#!/bin/bash
# guards_test.sh BUILD_DIR: the switches of the test build are not in the product, which gives no privilege to who executes it either.
# shellcheck source=tests/escape/attempts.sh
source "$(dirname "${BASH_SOURCE[0]}")/attempts.sh"
holds() { grep -aqF -e "$1" "$2"; }
for trace in CORDON_GUARDS_OFF holder-is-closed "there is no guard"; do
  holds "$trace" "$unguarded" || die "control: '$trace' is not found in the test build"
  if holds "$trace" "$cordon"; then
    die "'$trace' is in the product"
  fi
done
ok "no switch of a guard is in the product"
status=0
CORDON_GUARDS_OFF=no-such-guard "$unguarded" run -- /bin/true 2>/dev/null || status=$?
expect_equal "control: the test build knows its guards" 134 $status
CORDON_GUARDS_OFF=no-such-guard "$cordon" run -- /bin/true 2>/dev/null || die "the product reads the variable"
ok "the product does not read the variable"

# firejail's holes were those of a set-uid program (CVE-2017-5180, CVE-2021-26910, CVE-2022-31214).
expect_equal "the product is not set-uid or set-gid" "" "$(find "$cordon" -perm /6000)"
expect_equal "and has no file capabilities" "" "$(getfattr -n security.capability "$cordon" 2>/dev/null || true)"
echo "ok: $checks checks"
