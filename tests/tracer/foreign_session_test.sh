#!/bin/bash
# foreign_session_test.sh BUILD_DIR: where a container was begun from outside of its PID namespace, as builds often are, the session has no id
# (getsid(2) gives 0). Victims that ask for theirs are recorded alike there too.
# shellcheck source=tests/testing/harness.sh
source "$(dirname "${BASH_SOURCE[0]}")/../testing/harness.sh"
apart=(unshare --pid --fork --kill-child --mount-proc)
cd "$work"
((EUID == 0)) || apart+=(--user --map-root-user)
"${apart[@]}" true 2>/dev/null || skip "no PID namespace can be made here"
expect_equal "control: there the session has no id" 0 "$("${apart[@]}" /usr/bin/python3 -I -c 'import os; print(os.getsid(0))')"
"${apart[@]}" "${build:?}/tests/tracer/tracer_victim_test" --gtest_filter='*/stubs_forked:*/stubs_threads:*/tasks_fork' >told 2>&1 ||
  die "$(cat told)"
expect_contains "three victims are recorded alike" "[  PASSED  ] 3 tests." "$(cat told)"
echo "ok: $checks checks"
