#!/bin/bash
# detached_test.sh BUILD_DIR: sandboxes that go on without the command that began them: run --detach, logs, wait, rm, and what is left of them.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
cordon=${cordon:?}
cd "$work"
folder=/run/cordon
if ((EUID != 0)); then
  folder=/tmp/cordon-$EUID
  [[ -z ${XDG_RUNTIME_DIR:-} ]] || folder=$XDG_RUNTIME_DIR/cordon
fi
as=()
# Others may run sandboxes of this user meanwhile.
a=da-$$ b=db-$$ c=dc-$$ d=dd-$$
remove_all() { for name in "$a" "$b" "$c" "$d"; do "$cordon" rm -f "$name" 2>/dev/null || true; done; }
at_end remove_all

field() { "${as[@]}" "$cordon" inspect "$1" --field "$2" 2>/dev/null; }
# status_of COMMAND…: its exit status in $status, what it said in the files out and err.
status_of() {
  status=0
  "$@" >out 2>err || status=$?
}
listed() { "${as[@]}" "$cordon" list "$@"; }
is_listed() { listed -q | grep -qx -- "$1"; }
session() { /usr/bin/python3 -I -c "import os; print(os.getsid($1))"; }

# 1. Begun, and left.
# What a caller waits for (the end of this output) must not stay open in what goes on.
said=$("$cordon" run -d --name "$a" -- sh -c 'echo out one; echo err one >&2; printf "no end"; exec sleep 1000' 2>err)
expect_equal "it says its name" "$a" "$said"
is_listed "$a" || die "it is not listed"
supervisor=$(field "$a" supervisor)
expect_equal "its supervisor has a session of its own" "$supervisor" "$(session "$supervisor")"
expect_equal "and so has the workload" "$supervisor" "$(session "$(field "$a" pid)")"
expect_equal "the supervisor holds no folder" / "$(readlink "/proc/$supervisor/cwd")"
for number in 0 1 2; do
  expect_equal "nor the caller's stream $number" /dev/null "$(readlink "/proc/$supervisor/fd/$number")"
done
says_no_end() { [[ $("$cordon" logs "$a" 2>/dev/null) == *"no end"* ]]; }
wait_for "the log" 20 says_no_end
expect_equal "logs gives its output" "$(printf 'out one\nno end')" "$("$cordon" logs "$a" 2>/dev/null)"
expect_equal "and its errors, apart" "err one" "$("$cordon" logs "$a" 2>&1 >/dev/null)"
expect_equal "the last lines" "no end" "$("$cordon" logs --tail 1 "$a" 2>/dev/null)"
expect_equal "none of them" "" "$("$cordon" logs --tail 0 "$a" 2>&1)"
expect_equal "what is new enough" "$(printf 'out one\nno end')" "$("$cordon" logs --since 1h "$a" 2>/dev/null)"
expect_equal "what is too old" "" "$("$cordon" logs --since 2100-01-01T00:00:00Z "$a" 2>&1)"
[[ $("$cordon" logs -t "$a" 2>/dev/null | head -n 1) =~ ^20[0-9-]{8}T[0-9:.]{18}Z\ out\ one$ ]] || die "logs -t: $("$cordon" logs -t "$a")"
ok "with times"
for wrong in "--since moon" "--tail x"; do
  # shellcheck disable=SC2086
  status_of "$cordon" logs $wrong "$a"
  expect_equal "logs $wrong" 2 "$status"
done
expect_equal "nobody else can read the log" 600 "$(stat -c %a "$folder/$a/log")"
expect_equal "nor look for it" 700 "$(stat -c %a "$folder/$a")"
expect_equal "exec works as in others" "out" "$("$cordon" exec "$a" -- echo out)"
status_of "$cordon" rm "$a"
expect_equal "what runs is not removed" 125 "$status"
expect_contains "and the sentence says what to do" "cordon kill $a, or use rm -f" "$(cat err)"

# 2. Its end.
"$cordon" wait "$a" &
waiter=$!
"$cordon" logs -f "$a" >followed 2>&1 &
follower=$!
wait_for "the follower" 20 grep -q "no end" followed
"$cordon" kill -s INT "$a"
status=0
wait $waiter || status=$?
expect_equal "wait ends as the workload did" 130 $status
wait $follower || die "logs -f failed"
ok "and logs -f ends with it"
! is_listed "$a" || die "it is listed as if it ran"
# One space between columns: how wide they are depends on what others run.
expect_contains "list -a has it, and how it ended" "$a killed by SIGINT" "$(listed -a | tr -s ' ')"
expect_equal "and inspect" "ended killed by 2 0" "$(field "$a" status) killed by $(field "$a" outcome.signaled) $(field "$a" pid)"
expect_equal "its log is there" "$(printf 'out one\nno end')" "$("$cordon" logs "$a" 2>/dev/null)"
status_of "$cordon" wait "$a"
expect_equal "wait says it again" 130 "$status"
for command in kill pause resume; do
  status_of "$cordon" "$command" "$a"
  expect_equal "$command reaches nothing that has ended" 125 "$status"
done
status_of "$cordon" exec "$a" -- true
expect_contains "and the sentence says so" "has ended" "$(cat err)"
status_of "$cordon" run --name "$a" -- true
expect_equal "its name is taken" 2 "$status"
expect_contains "until it is removed" "cordon rm $a" "$(cat err)"
"$cordon" rm "$a"
[[ ! -e $folder/$a ]] || die "rm left its place"
status_of "$cordon" rm "$a"
expect_equal "removed once" 125 "$status"
expect_contains "then there is none" "no sandbox called '$a'" "$(cat err)"
ok "rm removes it"

# 3. Whether it was begun.
for how in "nosuch-program 127" "/etc/hostname 126"; do
  status_of "$cordon" run -d --name "$b" -- "${how% *}"
  expect_equal "run -d says that ${how% *} cannot be executed" "${how#* }" "$status"
  [[ -s err && ! -s out ]] || die "it said: $(cat out err)"
  [[ ! -e $folder/$b ]] || die "it left something"
done
status_of "$cordon" run -d --name "$b" --rootfs "$work" -- /bin/true
[[ $status != 0 ]] || die "a root without programs is no failure"
expect_equal "nothing is left of what did not begin" "" "$(listed -aq | grep -x "$b" || true)"
status_of "$cordon" run -d --name "$b" --log-size 1k -- true
expect_equal "a log that is too small" 2 "$status"
status_of "$cordon" run --rm -- true
expect_equal "--rm is for detached ones" 2 "$status"
"$cordon" run -d --name "$b" -- sh -c 'exit 7' >/dev/null 2>&1 || die "run -d of a short one failed"
status_of "$cordon" wait "$b"
expect_equal "one that ends at once has begun" 7 "$status"
"$cordon" run -d --rm --name "$c" -- sh -c 'sleep 0.2; exit 8' >/dev/null 2>&1 || die "run -d --rm failed"
status_of "$cordon" wait "$c"
expect_equal "with --rm wait still says how it ended" 8 "$status"
[[ ! -e $folder/$c ]] || die "--rm left its place"
ok "and it leaves nothing"

# 4. Much output, and a reader that is slow.
# shellcheck disable=SC2016  # for the inner shell
"$cordon" run -d --name "$d" --log-size 1M -- sh -c 'i=0; while [ $i -lt 200 ]; do head -c 100000 /dev/zero | tr "\0" x; echo " $i"; i=$((i+1)); done; echo done' >/dev/null 2>&1
# Not read: what it says would fill any pipe to it.
mkfifo unread
"$cordon" logs -f "$d" >unread 2>&1 &
slow=$!
at_end stop_pid "$slow"
exec 8<unread
status_of "$cordon" wait "$d"
expect_equal "a workload that says 20 MB ends" 0 "$status"
size=$(cat "$folder/$d"/log* | wc -c)
((size <= 1 << 20)) || die "its log has $size bytes"
ok "its log has no more than it may ($size bytes)"
expect_equal "the end of it" "done" "$("$cordon" logs --tail 1 "$d")"
exec 8<&-
"$cordon" rm "$d"

# A file system that is full: a log on a small one.
if ((EUID == 0)); then
  # shellcheck disable=SC2016  # for the inner shell
  if ! unshare --mount --propagation private bash -c '
    set -e
    mkdir -p /run/cordon
    mount -t tmpfs -o size=600k,mode=700 full /run/cordon
    "$0" run -d --name full -- sh -c "head -c 5000000 /dev/zero | tr \"\\0\" y; echo; exit 9" >/dev/null 2>&1
    status=0
    "$0" wait full || status=$?
    [[ $status == 9 ]] || { echo "it ended with $status"; exit 1; }
    [[ $("$0" inspect full --field outcome.exited) == 9 ]] || { echo "its outcome was not kept"; exit 1; }
    ls -la /run/cordon/full
    "$0" rm full' "$cordon" >full 2>&1; then
    die "a full file system stopped a workload: $(cat full)"
  fi
  ok "a full file system stops no workload, and how it ended is kept"
fi

# 5. Removed while it runs, also where its supervisor does not answer.
"$cordon" run -d --name "$c" -- sleep 1000 >/dev/null 2>&1
first=$(field "$c" pid)
"$cordon" rm -f "$c"
gone "$first" || die "rm -f left the workload"
[[ ! -e $folder/$c ]] || die "rm -f left its place"
ok "rm -f ends and removes"
"$cordon" run -d --name "$c" -- sleep 1000 >/dev/null 2>&1
first=$(field "$c" pid)
kill -STOP "$(field "$c" supervisor)"
"$cordon" rm -f "$c"
wait_for "the end of a workload whose supervisor was stopped" 20 gone "$first"
[[ ! -e $folder/$c ]] || die "rm -f left its place"
ok "also of a supervisor that was stopped"

# 6. A supervisor that is killed.
"$cordon" run -d --name "$c" -- sh -c 'echo said; exec sleep 1000' >/dev/null 2>&1
first=$(field "$c" pid)
logged() { [[ $("$cordon" logs "$c" 2>/dev/null) == said ]]; }
wait_for "the log" 20 logged
"$cordon" wait "$c" 2>/dev/null &
waiter=$!
kill -KILL "$(field "$c" supervisor)"
wait_for "the end of the workload" 20 gone "$first"
status=0
wait $waiter || status=$?
expect_equal "who waits is told" 137 $status
expect_contains "list -a calls it lost" "$c lost" "$(listed -a | tr -s ' ')"
expect_equal "its log is there" said "$("$cordon" logs "$c")"
expect_equal "no process id is kept" "0 0" "$(field "$c" pid) $(field "$c" supervisor)"
"$cordon" rm "$c"
"$cordon" run -d --rm --name "$c" -- sleep 1000 >/dev/null 2>&1
kill -KILL "$(field "$c" supervisor)"
free_again() { "$cordon" run --name "$c" -- true; }
wait_for "its name" 20 free_again
ok "with --rm nothing is kept of it"

# 7. Of a sandbox that is not detached there is no log.
start_server "$work/log.c" "$cordon" run --name "$c" -- sleep 1000
running() { [[ $(field "$c" pid) -gt 0 ]]; }
wait_for "the workload" 20 running
status_of "$cordon" logs "$c"
expect_equal "no log" 125 "$status"
expect_contains "and the sentence says why" "--detach" "$(cat err)"
"$cordon" wait "$c" 2>err &
waiter=$!
# recvmsg(2), for the reply.
waiting() { [[ $(<"/proc/$waiter/syscall") == 47\ * ]]; }
wait_for "who waits" 20 waiting
"$cordon" kill "$c"
status=0
wait $waiter || status=$?
# It may have ended before it was asked.
[[ $status == 143 || ($status == 125 && $(<err) == *"ended before it could be asked"* || $(<err) == *"no sandbox called"*) ]] || die "waiting for it gave $status: $(<err)"
ok "but it can be waited for"

# 8. An ordinary user's.
if ((EUID == 0)) && command -v setpriv >/dev/null; then
  as=(env -u XDG_RUNTIME_DIR setpriv --reuid 65534 --regid 65534 --clear-groups)
  at_end rm -rf /tmp/cordon-65534
  "${as[@]}" "$cordon" run -d --name "$a" -- sh -c 'echo said; exec sleep 1000' >/dev/null 2>&1
  expect_contains "an ordinary user has them too" "$a" "$(listed)"
  logged() { [[ $("${as[@]}" "$cordon" logs "$a") == said ]]; }
  wait_for "the log" 20 logged
  "${as[@]}" "$cordon" rm -f "$a"
  [[ ! -e /tmp/cordon-65534/$a ]] || die "rm -f left its place"
  ok "and removes them"
fi
echo "ok: $checks checks"
