#!/bin/bash
# go_test.sh BUILD_DIR PACKAGE: the tests of a package of Go's own library, as Debian ships its source, give the same result test by test
# natively and under every tier. They are statically linked and make their own system calls and threads, without a C library. A test that
# differs is accepted only as flaky, which is shown: repeated alone it gives both results natively, or under the tier the native one three
# times in a row. Either is printed. So is what fails for a tell that docs/testing.md names, which the test's own words have to show.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../../testing/harness.sh"
package=$2
root=/usr/lib/go-1.19
need_programs "$root/bin/go" gcc
[[ -d $root/src/$package ]] || skip "golang-1.19-src is not installed"
export HOME=$work GOROOT=$root GOCACHE=$build/go-cache GOPROXY=off GOFLAGS='' CGO_ENABLED=0
export PATH=$root/bin:/usr/bin:/bin:/usr/sbin:/sbin

(cd "$root/src/$package" && go test -c -o "$work/package.test" .) >"$work/log" 2>&1 || die "the tests of $package cannot be built: $(tail -n 5 "$work/log")"

# run HOW NAME [ARGUMENT…]: the tests natively or under a tier; "RESULT: TEST" lines in NAME.
run() {
  local how=$1 name=$2 under=()
  shift 2
  [[ $how == native ]] || under=("$cordon" profile --quiet --tier "$how" -o "$work/$name.json" --)
  (cd "$root/src/$package" && timeout -k 10 900 "${under[@]}" "$work/package.test" -test.v -test.short -test.timeout 800s "$@" \
    >"$work/$name.log" 2>&1 </dev/null) || true
  # A line may begin with what the test itself wrote.
  grep -oE -- '--- (PASS|FAIL|SKIP): [^ ]+' "$work/$name.log" | sort -u >"$work/$name"
  [[ -s $work/$name ]] || die "$package gave no results ($how): $(tail -n 5 "$work/$name.log")"
}

result_of() { sed -n "s|^--- \(.*\): $1\$|\1|p" "$2"; }

# is_flaky TIER TEST: see above.
is_flaky() {
  local tier=$1 test=$2 native i same=0
  native=$(result_of "$test" "$work/first")
  for i in 1 2 3; do
    run native again -test.run "^${test//\//\$/^}\$"
    if [[ $(result_of "$test" "$work/again") != "$native" ]]; then
      echo "  flaky, natively as well: $test"
      return 0
    fi
  done
  for i in 1 2 3; do
    run "$tier" again -test.run "^${test//\//\$/^}\$"
    [[ $(result_of "$test" "$work/again") != "$native" ]] || same=$((same + 1))
  done
  ((same == 3)) && echo "  flaky, the native result three times when repeated: $test"
}

# is_known_tell TIER TEST: does it differ because a traced program's TracerPid is not 0, or cannot be traced by another tracer?
is_known_tell() {
  local tier=$1 test=$2 got
  got=$(result_of "$test" "$work/$tier")
  case $got:$test in
    SKIP:TestDebugCall*)
      grep -q 'test will deadlock under a debugger' "$work/$tier.log" && echo "  known tell, TracerPid: $test"
      ;;
    FAIL:TestGdb*)
      grep -q 'ptrace: Operation not permitted' "$work/$tier.log" && echo "  known tell, PTRACE_TRACEME fails: $test"
      ;;
    *) return 1 ;;
  esac
}

run native first
total=$(wc -l <"$work/first")
for tier in exact filtered fast; do
  run "$tier" "$tier"
  [[ -s $work/$tier.json ]] || die "no recording was written ($tier)"
  while read -r test; do
    is_known_tell "$tier" "$test" || is_flaky "$tier" "$test" ||
      die "$package, $tier tier: $test is '$(result_of "$test" "$work/first")' natively and '$(result_of "$test" "$work/$tier")' under cordon"
  done < <(diff "$work/first" "$work/$tier" | sed -n 's/^[<>] --- [A-Z]*: //p' | sort -u)
  ok "$package: $total results, each as natively under the $tier tier"
done
