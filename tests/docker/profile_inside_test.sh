#!/bin/bash
# profile_inside_test.sh BUILD_DIR: the static build learns inside a container of an image that has only busybox, under Docker's default
# seccomp profile: `docker run -v …/cordon:/cordon IMAGE /cordon profile -o /out/app.recording.json -- CMD`. It also sees the calls
# that the profile refuses, and the recording says that it was made under a filter. Where the profile refuses ptrace(2), it says what to do.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
# shellcheck source=tests/docker/engine.sh
source "$here/engine.sh"
need_root
need_programs /usr/sbin/dockerd /usr/bin/docker runc busybox
cordon=$(dirname "$build")/static/bin/cordon
[[ -x $cordon ]] || skip "there is no static build"

start_engine
tree=$work/tree
mkdir -p "$tree"/{bin,etc,tmp,proc,sys,dev}
cp /bin/busybox "$tree/bin/busybox"
[[ $(ldd "$tree/bin/busybox" 2>&1) != *"=>"* ]] || skip "busybox-static is not installed"
for applet in sh cat; do ln -s busybox "$tree/bin/$applet"; done
cp "$victims/syscall_probe" "$tree/bin/"
echo small >"$tree/etc/motd"
tar -C "$tree" -c . | "${docker[@]}" import - cordon-small >/dev/null
mkdir -m 777 "$work/out"

# in_container [OPTION…] -- COMMAND…
in_container() {
  local options=()
  while [[ $1 != -- ]]; do
    options+=("$1")
    shift
  done
  shift
  "${docker[@]}" run --rm --network none -v "$cordon:/cordon:ro" -v "$work/out:/out" "${options[@]}" cordon-small "$@"
}

work_in='cat /etc/motd; syscall_probe unshare mount=/tmp; exit 5'
for user in 0:0 65534:65534; do
  recording=$work/out/$user.json
  status=0
  said=$(in_container --user "$user" -- /cordon profile --quiet -o "/out/$user.json" -- /bin/sh -c "$work_in" 2>"$work/err") || status=$?
  expect_equal "uid ${user%:*}: the program's own exit status" 5 "$status"
  expect_equal "uid ${user%:*}: its own output" "small unshare EPERM mount EPERM" "$(xargs <<<"$said")"
  shown=$("$build/bin/cordon" show "$recording") || die "the recording cannot be read: $shown"
  expect_contains "uid ${user%:*}: what was read" '"/etc/motd"' "$(cat "$recording")"
  for call in unshare mount; do
    grep "\"name\":\"$call\"" "$recording" | grep -q '"EPERM"' || die "$call, which Docker's profile refuses, is not in the recording"
    ok "uid ${user%:*}: $call is in the recording, refused"
  done
  expect_contains "uid ${user%:*}: the recording says that there was a filter" outer-seccomp-filter "$shown"
done

# The control: without Docker's profile the same program's unshare succeeds, and there is no such limitation.
in_container --security-opt seccomp=unconfined -- /cordon profile --quiet -o /out/free.json -- /bin/sh -c "$work_in" >"$work/said" || true
expect_contains "control: without the profile unshare succeeds" "unshare ok" "$(cat "$work/said")"
expect_missing "control: and nothing is said of a filter" outer-seccomp-filter "$("$build/bin/cordon" show "$work/out/free.json")"

# As before Linux 4.8: a profile without ptrace.
cat >"$work/no-ptrace.json" <<'JSON'
{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [ { "names": [ "ptrace" ], "action": "SCMP_ACT_ERRNO", "errnoRet": 1 } ] }
JSON
status=0
in_container --security-opt "seccomp=$work/no-ptrace.json" -- /cordon profile -o /out/no-ptrace.json -- /bin/sh -c 'exit 5' >"$work/said" 2>&1 || status=$?
expect_equal "where ptrace is refused cordon cannot do it" 125 "$status"
expect_contains "and says what to do" "--cap-add SYS_PTRACE" "$(cat "$work/said")"
[[ ! -e $work/out/no-ptrace.json ]] || die "a recording was written without ptrace"
echo "ok: $checks checks"
