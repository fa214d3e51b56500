#!/bin/bash
# terminal_test.sh BUILD_DIR: `cordon run -t` and `cordon exec -t`: a terminal of the sandbox's own, seen from inside and outside, joined to the
# caller's, whose modes are what they were in the end.
# shellcheck disable=SC2016  # what is quoted is for the shell inside
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
cordon=${cordon:?}
need_root
need_programs busybox setpriv /usr/bin/python3
cd "$work"
name=terminal-$$
root=$work/root
mkdir -p "$root"/{bin,dev,proc,sys,tmp,etc,mnt}
cp "$(command -v busybox)" "$root/bin/busybox"
for applet in sh stty tty cat sleep ls stat id test kill; do
  ln -s busybox "$root/bin/$applet"
done
echo 'web:x:33:33::/:/bin/sh' >"$root/etc/passwd"
export TERM=vt100

# at STEP… -- COMMAND…: in a terminal; what it showed in $shown.
at() { shown=$(timeout 120 /usr/bin/python3 -I "$here/../testing/at_terminal.py" "$@" 2>&1) || die "at a terminal: $* $shown"; }
# run STEP… -- [OPTION…] -- COMMAND…: the same of `cordon run -t`.
run() {
  local steps=()
  while [[ $1 != -- ]]; do
    steps+=("$1")
    shift
  done
  shift
  at "${steps[@]}" -- "$cordon" run -t --name "$name" --rootfs "$root" "$@"
}
ended() { expect_contains "$1: the exit status" "status $2" "$shown" && expect_contains "$1: the terminal is as it was" "modes as before" "$shown"; }

# 1. Inside.
run -- -- sh -c 'tty; stty size; test -t 0 && test -t 1 && test -t 2 && echo all; echo by-name >/dev/tty; echo on-console >/dev/console
  echo "$TERM"; read -r p n s d rest </proc/self/stat; set -- $rest; echo "session $2 is $$"; ls -1 /dev/pts; exit 3'
ended "what runs inside" 3
expect_contains "its terminal is the sandbox's first" "/dev/pts/0" "$shown"
expect_contains "has the size of the caller's" "30 100" "$shown"
expect_contains "is all three streams" all "$shown"
expect_contains "controls the session" by-name "$shown"
expect_contains "and is the console" on-console "$shown"
expect_contains "TERM is the caller's" vt100 "$shown"
session=$(sed -n 's/^session //p' <<<"$shown")
expect_equal "it leads a session of its own" "${session#* is }" "${session% is *}"
expect_equal "no other terminal is there" $'0\nptmx' "$(sed -n '/^session/,/^$/p' <<<"$shown" | sed '1d;/^$/,$d')"

# 2. Outside, while it waits for what is typed.
cat >look <<'SH'
first=$("$1" inspect "$2" --field pid)
echo "inside $(readlink "/proc/$first/fd/0") $(stat -Lc %t:%T "/proc/$first/fd/0")"
echo "holder $(awk '{ print $7 }' "/proc/$(ps -o ppid= -p "$first" | tr -d ' ')/stat")"
echo "caller $(stat -Lc %t:%T "/proc/$("$1" inspect "$2" --field supervisor)/fd/0")"
SH
run see:ready raw 'type:what is typed\n' see:got 'type:\x04' -- -i -- sh -c 'echo ready; read -r line; echo "got $line"; cat; echo end'
ended "what is typed" 0
expect_contains "reaches it" "got what is typed" "$shown"
expect_contains "an end of file too" end "$shown"
/usr/bin/python3 -I "$here/../testing/at_terminal.py" see:ready raw see:go -- \
  "$cordon" run -t --name "$name" --rootfs "$root" --volume "$work:/mnt" -- sh -c 'echo ready; while ! test -e /mnt/go; do sleep 0.1; done; echo go' >shown 2>&1 &
driver=$!
at_end stop_pid "$driver"
begun() { [[ $("$cordon" inspect "$name" --field pid 2>/dev/null) -gt 0 ]]; }
wait_for "the command" 30 begun
outside=$(bash look "$cordon" "$name")
: >go
wait "$driver" || die "the command does not end: $(<shown)"
expect_contains "from outside its input is a terminal of another file system" "inside /dev/pts/0" "$outside"
expect_contains "its first process has no terminal of the caller's" "holder 0" "$outside"
expect_contains "control: the caller has one" "caller 88:" "$outside"

# 3. Keys and sizes are for who is inside.
run see:ready raw 'type:\x03' -- -- sh -c 'trap "echo caught; exit 7" INT; echo ready; while :; do sleep 0.1; done'
ended "Ctrl-C" 7
expect_contains "Ctrl-C reaches the command" caught "$shown"
run raw 'type:x\n' see:x see:x 'type:\x1c' -- -- cat
ended "Ctrl-\\ ends it" 131
run see:ready resize:40,120 see:40 -- -- sh -c 'trap "stty size; exit 0" WINCH; echo ready; while :; do sleep 0.1; done'
ended "another size" 0
expect_contains "is passed on" "40 120" "$shown"
printf 'x%.0s' {1..3000} >"$root/long"
run see:ready raw -- -- sh -c 'echo ready; i=0; while test $i -lt 100; do cat /long; i=$((i + 1)); done; echo; exit 5'
ended "much output" 5
expect_equal "comes whole" 300000 "$(tr -cd x <<<"$shown" | wc -c)"
at output:out see: -- "$cordon" run -t --rootfs "$root" -- sh -c 'echo into a file'
ended "output to a file" 0
expect_equal "goes there" "into a file" "$(tr -d '\r' <out)"

# 4. However it ends.
run see:ready raw signal:TERM -- -- sh -c 'echo ready; while :; do sleep 0.1; done'
ended "asked to end" 143
run -- -- no-such-command
ended "a command that is not there" 127
run -- --workdir /nowhere -- sh -c 'echo never'
ended "a launch that fails" 125
mkdir -p "$work/dev/pts"
ln -s /etc/passwd "$work/dev/console"
run -- --volume "$work/dev:/dev" -- sh -c 'echo never'
ended "a console that is a link" 125
expect_contains "is told" "/dev/console, which is behind a symbolic link" "$shown"
at see:ready raw hangup -- "$cordon" run -t --name "$name" --rootfs "$root" --volume "$work:/mnt" -- \
  sh -c 'trap "echo hung up >/mnt/hung-up; exit" HUP; echo ready; while :; do sleep 0.1; done'
expect_equal "where the terminal goes, the command is told" "hung up" "$(<hung-up)"
nobody() { ! "$cordon" list -q | grep -qx "$name"; }
wait_for "its end" 20 nobody

# 5. exec.
start_server "$work/log" "$cordon" run --name "$name" --rootfs "$root" --user web -- sleep 1000
wait_for "the sandbox" 20 begun
at see:ready raw 'type:\x03' -- "$cordon" exec -it --env TERM=dumb "$name" -- \
  sh -c 'trap "echo caught; exit 9" INT; tty; stty size; echo $TERM; stat -c %U "$(tty)"; echo yes >/dev/tty; echo ready; while :; do sleep 0.1; done'
ended "a further command" 9
expect_contains "has a terminal of the sandbox's" "/dev/pts/0" "$shown"
expect_contains "of the caller's size from the beginning" "30 100" "$shown"
expect_contains "its user's" web "$shown"
expect_contains "which controls its session" yes "$shown"
expect_contains "an option says what TERM is" dumb "$shown"
expect_contains "and keys are for it" caught "$shown"
at see:ready resize:50,60 see:50 -- "$cordon" exec -t "$name" -- sh -c 'trap "stty size; exit 0" WINCH; echo ready; while :; do sleep 0.1; done'
expect_contains "another size is passed on" "50 60" "$shown"
at -- "$cordon" exec -t "$name" -- no-such-command
ended "a further command that is not there" 127
at see:ready raw hangup -- "$cordon" exec -t "$name" -- sh -c 'echo ready; while :; do sleep 0.1; done'
entered_none() { [[ $("$cordon" inspect "$name" --field entered) == "[]" ]]; }
wait_for "the end of a command whose caller is gone" 20 entered_none
begun || die "control: the sandbox has ended with it"
ok "the command ends with its caller's terminal, the sandbox does not"
"$cordon" kill "$name" -s KILL

# 6. Without a terminal, or nobody at it.
status=0
"$cordon" run -t -- true </dev/null 2>err || status=$?
expect_equal "standard input is no terminal" 2 $status
expect_contains "is told" "standard input is no terminal" "$(<err)"
status=0
"$cordon" exec -t "$name" -- true </dev/null 2>err || status=$?
expect_equal "of exec too" 2 $status
status=0
"$cordon" run -d -t -- true </dev/null 2>err || status=$?
expect_equal "nobody is at the terminal of a detached one" 2 $status
expect_contains "is told" "--tty excludes --detach" "$(<err)"

# 7. An ordinary user, and users of one's own range.
at -- setpriv --reuid 65534 --regid 65534 --clear-groups env -u XDG_RUNTIME_DIR "$cordon" run -t -- sh -c 'tty; stty size; echo yes >/dev/tty; echo on-console >/dev/console; exit 4'
ended "an ordinary user's" 4
expect_contains "has the size" "30 100" "$shown"
expect_contains "and controls its session" yes "$shown"
expect_contains "it is the console" on-console "$shown"
echo "ok: $checks checks"
