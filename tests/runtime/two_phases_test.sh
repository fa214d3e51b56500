#!/bin/bash
# two_phases_test.sh BUILD_DIR: what only the start needed is allowed until the boundary, whatever marks it, and refused ever after, in every
# thread and child, whenever they were made; as root and as an ordinary user. The control: the same policy in one phase refuses none of it.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
cordon=${cordon:?}
cp "${victims:?}/two_phases" "$work/two_phases"
cd "$work"
victim=$work/two_phases
everybody=(main early-thread late-thread early-child early-grandchild late-child)

# option_of HOW: of --serving-when.
option_of() {
  case $1 in
    listen) echo listen ;;
    fd | socket) echo ready-fd ;;
    signal) echo signal:USR1 ;;
  esac
}

says() { grep -qF "$1" "$2"; }

# signalled OUT ERR COMMAND…: runs COMMAND, and once the victim waits tells cordon, and then the victim, that it serves.
signalled() {
  local out=$1 err=$2 input
  shift 2
  rm -f input "$out"
  mkfifo input
  "$@" <input >"$out" 2>"$err" &
  server=$!
  at_end stop_pid "$server"
  exec {input}>input
  wait_for "the victim's start" 30 says "main waits" "$out"
  kill -USR1 "$server"
  # Both take their signals before anything that happens afterwards.
  echo go >&"$input"
  exec {input}>&-
  wait "$server" || die "$* failed: $(cat "$out" "$err")"
}

# performs HOW OUT ERR COMMAND…
performs() {
  local how=$1 out=$2 err=$3
  shift 3
  if [[ $how == signal ]]; then
    signalled "$out" "$err" "$@"
  else
    "$@" >"$out" 2>"$err" </dev/null || die "$* failed: $(cat "$out" "$err")"
  fi
}

# held HOW FOLDER AS…: learns the victim, and holds it to what was learned.
held() {
  local how=$1 folder=$2 option who call
  shift 2
  option=$(option_of "$how")
  performs "$how" learn.out learn.err "$@" "$cordon" profile --quiet -o "$folder/$how.json" --serving-when "$option" -- "$victim" "$how" learn
  "$@" "$cordon" generate "$folder/$how.json" --name "$how" --runtime cordon -o "$folder/$how.policy" 2>generate.err ||
    die "generate failed: $(cat generate.err)"
  expect_contains "$how: what is withheld is said" ", execve, " "$(grep "once it serves" generate.err)"

  performs "$how" out err "$@" "$cordon" run --policy "$folder/$how.policy" --serving-when "$option" -- "$victim" "$how" learn
  expect_missing "$how: what was learned is not refused" "cordon: refused" "$(cat err)"
  expect_contains "$how: and the boundary came" "it serves" "$(cat err)"

  performs "$how" out err "$@" "$cordon" run --policy "$folder/$how.policy" --serving-when "$option" -- "$victim" "$how" probe again
  for call in socket getpgrp execve; do
    says "start $call ok" out || die "$how: $call was not allowed in the start: $(cat out err)"
    for who in "${everybody[@]}"; do
      says "$who $call EPERM" out || die "$how: $call is not refused to $who: $(cat out err)"
      says "$who getppid ok" out || die "$how: getppid is refused to $who: $(cat out err)"
    done
  done
  ok "$how: the start's calls are refused after the boundary, in ${#everybody[@]} threads and processes, whatever they mark again"
  expect_contains "$how: that is reported" "refused execve(" "$(cat err)"

}

# The control: the same policy in one phase.
free() {
  local call who
  "$cordon" run --policy listen.policy -- "$victim" listen probe >out 2>err || die "control: $(cat out err)"
  for call in socket getpgrp execve getppid; do
    for who in "${everybody[@]}"; do
      says "$who $call ok" out || die "control: $call is refused to $who in one phase: $(cat out err)"
    done
  done
  ok "control: in one phase none of it is refused"
}

for how in listen fd socket signal; do
  held "$how" .
done
free

# A server that executes programs while it serves: execve is allowed then, what only the start needed is refused all the same.
"$cordon" profile --quiet -o executes.json --serving-when listen -- "$victim" listen learn executes >/dev/null
"$cordon" generate executes.json --name executes --runtime cordon -o executes.policy 2>generate.err
expect_missing "what serving executes, too, is not withheld" "execve" "$(grep "once it serves" generate.err)"
"$cordon" run --policy executes.policy --serving-when listen -- "$victim" listen probe executes >out 2>err || die "$(cat out err)"
says "main executes ok" out || die "it may not execute: $(cat out err)"
for who in "${everybody[@]}"; do
  for call in socket getpgrp; do
    says "$who $call EPERM" out || die "$call is not refused to $who where serving may execute: $(cat out err)"
  done
done
ok "where serving may execute, the rest of the start is refused all the same"

# Two phases are not taken where they cannot be had.
status=0
"$cordon" run --policy listen.policy --serving-when listen --report none -- "$victim" listen learn 2>err || status=$?
expect_equal "--report none has no listener" 2 "$status"
"$cordon" profile --quiet -o one.json -- "$victim" listen learn >/dev/null
"$cordon" generate one.json --name one --runtime cordon -o one.policy 2>generate.err
expect_missing "a recording without a boundary makes a policy of one phase" "once it serves" "$(cat generate.err)"
[[ ! -e one.policy/seccomp-serve.json ]] || die "and no second policy"
status=0
"$cordon" run --policy one.policy --serving-when listen -- "$victim" listen learn 2>err || status=$?
expect_equal "which --serving-when refuses" 2 "$status"
expect_contains "saying how to learn two" "cordon profile --serving-when" "$(cat err)"
"$cordon" generate listen.json --name kill --runtime cordon --on-violation kill -o kill.policy 2>generate.err
status=0
"$cordon" run --policy kill.policy --serving-when listen -- "$victim" listen learn 2>err || status=$?
expect_equal "a policy that kills has one phase" 2 "$status"
expect_contains "saying how to generate two" "cordon generate --on-violation errno" "$(cat err)"
expect_missing "and nothing of learning, which was done" "cordon profile" "$(cat err)"
"$cordon" generate one.json listen.json --name mixed --runtime cordon -o mixed.policy 2>generate.err
expect_contains "one run without a boundary among others, too" "had no boundary" "$(cat generate.err)"
"$cordon" run --policy listen.policy --serving-when ready-fd -- "$victim" listen probe >out 2>err
expect_contains "another boundary than was learned is said" "was learned with listen" "$(cat err)"
expect_contains "as is one that never came" "that never came" "$(cat err)"
says "main execve ok" out || die "until the boundary all is allowed: $(cat out err)"
echo >>listen.policy/seccomp-serve.json
"$cordon" run --policy listen.policy --serving-when listen -- "$victim" listen probe >out 2>err
expect_contains "a changed second policy is compiled anew" "seccomp-serve.bpf: compiled anew" "$(cat err)"
expect_contains "and held" "main execve EPERM" "$(cat out)"

# A sandbox that serves: asked, entered, and killed.
"$cordon" profile --quiet --append listen.json --exec health -- cat /etc/hostname >/dev/null
"$cordon" generate listen.json --name stay --runtime cordon -o stay.policy 2>generate.err
mkfifo hold
exec {hold}<>hold
"$cordon" run --name "two-$$" --policy stay.policy --serving-when listen -- "$victim" listen learn stay <&"$hold" >stay.log 2>&1 &
server=$!
at_end stop_pid "$server"
wait_for "the serving sandbox" 30 says "main stays" stay.log
expect_equal "inspect says in which phase it is" serve "$("$cordon" inspect "two-$$" --field phase)"
expect_equal "a further command that was learned runs while it serves" "$(cat /etc/hostname)" "$("$cordon" exec "two-$$" -- cat /etc/hostname)"
workload=$("$cordon" inspect "two-$$" --field pid)
kill -KILL "$server"
wait_for "the end of the sandbox with its supervisor" 20 gone "$workload"
ok "the sandbox ends with its supervisor"

# As an ordinary user, without any privilege.
if ((EUID == 0)); then
  mkdir nobody
  chmod 777 nobody
  cd nobody
  for how in listen socket; do
    held "$how" . setpriv --reuid 65534 --regid 65534 --clear-groups
  done
fi
echo "ok: $checks checks"
