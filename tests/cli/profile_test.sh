#!/bin/bash
# profile_test.sh BUILD_DIR: cordon profile seen from a shell.
set -u
cordon=$1/bin/cordon
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failures=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# expect STATUS COMMAND…
expect() {
  local wanted=$1 got
  shift
  "$@" >out 2>err </dev/null
  got=$?
  [[ $got == "$wanted" ]] || fail "exit $got instead of $wanted: $* ($(tail -n 2 err))"
}

# gone PID: it ends soon, if it has not yet; a zombie has ended, whoever is to reap it
gone() {
  for _ in $(seq 100); do
    grep -qs '^State:[[:space:]]*[^Z]' "/proc/$1/status" || return 0
    sleep 0.05
  done
  return 1
}

# --- exit status as without cordon ---
expect 0 "$cordon" profile -- true
expect 1 "$cordon" profile -- false
expect 137 "$cordon" profile -- sh -c 'kill -9 $$'
expect 42 "$cordon" profile --tier exact -- sh -c 'exit 42'
[[ -s true.recording.json && -s false.recording.json && -s sh.recording.json ]] || fail "no recording under the default name"

rm -f ./*.json
expect 127 "$cordon" profile -- /nonexistent
expect 127 "$cordon" profile -- no-such-command-anywhere
expect 126 "$cordon" profile -- /etc/passwd
expect 126 "$cordon" profile -- /etc
[[ $(wc -l <err) == 1 ]] || fail "not one line about a command that cannot be executed: $(cat err)"
! ls ./*.json >/dev/null 2>&1 || fail "a recording of a command that never ran"

# a script without "#!" runs under /bin/sh, as execvp(3) does it
printf 'exit 9\n' >script && chmod +x script
expect 9 "$cordon" profile -- ./script

# --- arguments, output and descriptors reach the program untouched ---
"$cordon" profile --quiet -o a.json -- printf '%s|' '[a,b]' '' -- --tier x >out 2>err
[[ $(cat out) == '[a,b]||--|--tier|x|' ]] || fail "arguments were changed: $(cat out)"
[[ ! -s err ]] || fail "--quiet prints: $(cat err)"
echo input | "$cordon" profile --quiet -o a.json -- cat >out
[[ $(cat out) == input ]] || fail "standard input does not reach the program"
open=$("$cordon" profile --quiet -o a.json -- sh -c 'ls /proc/self/fd | wc -l')
[[ $open == $(sh -c 'ls /proc/self/fd | wc -l') ]] || fail "the program sees other descriptors: $open"
mask=$("$cordon" profile --quiet -o a.json -- grep -E 'Sig(Blk|Ign|Cgt)' /proc/self/status)
[[ $mask == "$(grep -E 'Sig(Blk|Ign|Cgt)' /proc/self/status)" ]] || fail "the program sees other signal dispositions: $mask"

# --- what was recorded ---
"$cordon" profile --quiet -o b.json -- cat /etc/hostname >/dev/null
grep -q '"/etc/hostname"' b.json || fail "the file that was read is not in the recording"
! grep -q "/proc/$$" b.json || fail "a process id is in the recording"

# --- append ---
cp b.json joined.json
expect 0 "$cordon" profile --append joined.json -- cat /etc/debian_version
grep -q '"/etc/hostname"' joined.json || fail "--append lost the first run"
grep -q '"/etc/debian_version"' joined.json || fail "--append lost the second run"
expect 0 "$cordon" profile --append fresh.json -- true
[[ -s fresh.json ]] || fail "--append does not make a new recording"
head -c 300 b.json >broken.json
cp broken.json before.json
expect 2 "$cordon" profile --append broken.json -- touch ran
cmp -s broken.json before.json || fail "a malformed recording was changed"
grep -q broken.json err || fail "the malformed recording is not named: $(cat err)"
[[ ! -e ran ]] || fail "the program ran although its recording could not be kept"

# --- an output that cannot be written is found before anything runs ---
expect 2 "$cordon" profile -o /nonexistent/x.json -- touch ran
expect 2 "$cordon" profile -o "$dir" -- touch ran
[[ ! -e ran ]] || fail "the program ran although the output cannot be written"
expect 0 "$cordon" profile -o /dev/null -- true
[[ -c /dev/null ]] || fail "/dev/null was replaced"

# --- wrong usage ---
expect 2 "$cordon" profile
expect 2 "$cordon" profile --no-such-option -- true
expect 2 "$cordon" profile --no-such-option true
expect 0 "$cordon" profile env -- true
expect 2 "$cordon" profile --timeout soon -- true
expect 2 "$cordon" profile --tier quick -- true

# --- the end of a run ---
# await FILE: a program that was started says that it is there
await() {
  for _ in $(seq 200); do
    [[ -s $1 ]] && return
    sleep 0.05
  done
  fail "$1 never came"
}

expect 143 "$cordon" profile -o t.json --timeout 500ms -- sh -c 'echo $$ >pid; exec sleep 60'
grep -q '"runs"' t.json || fail "no recording after a timeout"
gone "$(cat pid)" || fail "the program outlived the timeout"

rm -f pid
expect 137 "$cordon" profile -o t.json --timeout 300ms -- sh -c 'trap "" TERM; echo $$ >pid; while :; do sleep 1; done'
gone "$(cat pid)" || fail "a program that ignores SIGTERM outlived the grace period"

rm -f pid t.json
set -m # so that background jobs do not ignore SIGINT
"$cordon" profile --quiet -o t.json -- sh -c 'trap "" INT; echo $$ >pid; while :; do sleep 0.1; done' &
job=$!
await pid
kill -INT $job
sleep 0.3
kill -0 $job 2>/dev/null || fail "the first interrupt ended the run"
kill -INT $job
wait $job
[[ -s t.json ]] || fail "no recording after the second interrupt"
gone "$(cat pid)" || fail "the program outlived the second interrupt"

rm -f pid t.json
"$cordon" profile --quiet -o t.json -- sh -c 'trap "exit 5" TERM; echo $$ >pid; while :; do sleep 0.1; done' &
job=$!
await pid
kill -TERM $job
wait $job
[[ $? == 5 ]] || fail "SIGTERM was not passed on"
[[ -s t.json ]] || fail "no recording after SIGTERM"

# the run lasts until the last descendant ends, unless told otherwise
rm -f late
expect 3 "$cordon" profile -o t.json -- sh -c '(sleep 0.5; echo x >late) & exit 3'
[[ -s late ]] || fail "a descendant was not waited for"
rm -f pid
expect 4 "$cordon" profile -o t.json --until-exit -- sh -c 'sleep 60 & echo $! >pid; exit 4'
gone "$(cat pid)" || fail "--until-exit left a descendant"

# nothing outlives cordon itself
rm -f pid
"$cordon" profile --quiet -o t.json -- sh -c 'echo $$ >pid; exec sleep 60' &
job=$!
await pid
kill -KILL $job
wait $job 2>/dev/null
gone "$(cat pid)" || fail "an orphan is left behind a killed cordon"

# --- an ordinary user ---
if [[ $(id -u) == 0 ]] && command -v setpriv >/dev/null; then
  mkdir user && chown 65534:65534 user && chmod 755 "$dir"
  for tier in exact filtered fast; do
    (cd user && setpriv --reuid=65534 --regid=65534 --clear-groups "$cordon" profile --stats --tier $tier -o $tier.json -- \
      sh -c 'cat /etc/hostname >/dev/null; exit 6' 2>err)
    [[ $? == 6 ]] || fail "an ordinary user cannot record in the $tier tier: $(cat user/err)"
    grep -q "$tier tier" user/err || fail "an ordinary user did not get the $tier tier: $(cat user/err)"
    grep -q '"/etc/hostname"' user/$tier.json || fail "an ordinary user's recording lacks what was read"
  done
fi

((failures == 0)) && echo "ok"
exit $((failures != 0))
