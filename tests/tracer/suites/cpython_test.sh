#!/bin/bash
# cpython_test.sh BUILD_DIR MODULE root|user: CPython's own tests of MODULE, as Debian ships them, give the same result test by test natively
# and under every tier. A test that differs is accepted only as flaky, which is shown: repeated natively it gives both results, or
# repeated alone under the tier it gives the native one three times in a row. Either is printed.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../../testing/harness.sh"
module=$2
need_programs /usr/bin/python3.11 setpriv
# test.support is in python3's base packages, the tests are not.
[[ -e /usr/lib/python3.11/test/$module.py || -d /usr/lib/python3.11/test/$module ]] ||
  skip "libpython3.11-testsuite is not installed"
as=()
if [[ $3 == user ]]; then
  need_root
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown 65534:65534 "$work"
fi
export HOME=$work TMPDIR=$work LC_ALL=C.UTF-8
unset PYTHONPATH

# run HOW NAME [ARGUMENT…]: the tests natively or under a tier; results in NAME.xml. What the machine has no loopback for (AF_VSOCK in a
# virtual machine) hangs natively as well.
run() {
  local how=$1 name=$2 under=()
  shift 2
  [[ $how == native ]] || under=("$cordon" profile --quiet --tier "$how" -o "$work/$name.json" --)
  rm -f "$work/$name.xml"
  (cd "$work" && timeout -k 10 900 "${as[@]}" "${under[@]}" /usr/bin/python3.11 -m test -u none --timeout 300 -i '*VSOCK*' \
    --junit-xml "$work/$name.xml" "$@" "$module" >"$work/$name.log" 2>&1 </dev/null) || true
  [[ -s $work/$name.xml ]] || die "$module gave no results ($how): $(tail -n 5 "$work/$name.log")"
}

# is_flaky TIER TEST: see above.
is_flaky() {
  local tier=$1 test=$2 i same=0
  for i in 1 2 3; do
    run native again -m "$test"
    if ! /usr/bin/python3 "$here/compare_junit.py" "$work/first.xml" "$work/again.xml" | grep -q "^$test .* absent$" &&
      /usr/bin/python3 "$here/compare_junit.py" "$work/first.xml" "$work/again.xml" | grep -q "^$test "; then
      echo "  flaky, natively as well: $test"
      return 0
    fi
  done
  for i in 1 2 3; do
    run "$tier" again -m "$test"
    /usr/bin/python3 "$here/compare_junit.py" "$work/first.xml" "$work/again.xml" | grep -q "^$test " || same=$((same + 1))
  done
  ((same == 3)) && echo "  flaky, the native result three times when repeated: $test"
}

run native first
total=$(grep -o '<testcase ' "$work/first.xml" | wc -l)
for tier in exact filtered fast; do
  run "$tier" "$tier"
  [[ -s $work/$tier.json ]] || die "no recording was written ($tier)"
  status=0
  /usr/bin/python3 "$here/compare_junit.py" "$work/first.xml" "$work/$tier.xml" >"$work/differing" || status=$?
  ((status != 2)) || die "$module: the results of the $tier tier cannot be compared"
  while read -r test native got; do
    is_flaky "$tier" "$test" || die "$module, $tier tier: $test is '$native' natively and '$got' under cordon"
  done <"$work/differing"
  ok "$module: $total tests as $3, each as natively under the $tier tier"
done
