#!/bin/bash
# doctor_test.sh BUILD_DIR: what doctor says of this host, as this user and as an ordinary one, is what the kernel and `run` show.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
cordon=${cordon:?}
cd "$work"
chmod 777 .

# as WHO…: doctor's report is well-formed, and true where it can be tried.
check_report() {
  local status=0 longest
  "$@" "$cordon" doctor >text || status=$?
  longest=$(wc -L <text)
  ((longest <= 80)) || die "a line has $longest columns: $(<text)"
  ! grep -qv '^\(ok     \|limited\|missing\)  \|^                          ' text || die "what line is this: $(<text)"
  ok "lines of at most 80 columns"
  "$@" "$cordon" doctor --json >report.json || true
  expect_equal "the JSON says whether it can enforce" "$status" "$(/usr/bin/python3 -I -c '
import json
report = json.load(open("report.json"))
essential = [i["name"] for i in report["items"] if i["state"] == "missing" and i["essential"]]
assert report["can_enforce"] == (not essential), essential
assert all(i["advice"] for i in report["items"] if i["state"] == "missing")
print(0 if report["can_enforce"] else 1)')"
  state_of() { /usr/bin/python3 -I -c 'import json, sys; print(*[i["state"] for i in json.load(open("report.json"))["items"] if i["name"] == sys.argv[1]])' "$1"; }
  ran=0
  "$@" "$cordon" run -- true 2>err || ran=$?
  if [[ $(state_of namespaces) == ok ]]; then
    expect_equal "where namespaces can be made, run works" 0 "$ran"
  else
    expect_equal "where they cannot, it does not" 125 "$ran"
  fi
  ran=0
  "$@" "$cordon" run --memory 64M -- true 2>err || ran=$?
  if [[ $(state_of cgroups) == ok ]]; then
    expect_equal "where every controller can be used, a limit can be set" 0 "$ran"
  fi
}
check_report env
if ((EUID == 0)) && command -v setpriv >/dev/null; then
  at_end rm -rf /tmp/cordon-65534
  check_report env -u XDG_RUNTIME_DIR setpriv --reuid 65534 --regid 65534 --clear-groups
  # The control: a host without user namespaces, as an ordinary user sees it.
  if [[ -w /proc/sys/user/max_user_namespaces ]]; then
    # shellcheck disable=SC2016  # for the inner shell
    unshare --user --map-root-user bash -c 'echo 0 >/proc/sys/user/max_user_namespaces
      status=0
      "$0" doctor >none || status=$?
      echo "exit $status" >>none' "$cordon" || die "no user namespace for the control"
    expect_contains "where none can be made it says so" "user namespaces  cannot be made: No space left on device" "$(<none)"
    expect_contains "and how they are made possible" "user.max_user_namespaces" "$(<none)"
  fi
fi
echo "ok: $checks checks"
