#!/bin/bash
# concurrent_test.sh BUILD_DIR [TIMES]: SIGKILL for `run --detach`, its supervisor and its clients at TIMES (40) random points, and a hundred
# commands at once on the same sandboxes: each command gives one of the answers that it may give, and nothing is left.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
cordon=${cordon:?} times=${2:-40}
need_root
cd "$work"
folder=/run/cordon
marker=6$RANDOM$RANDOM

# Everything of ours has the marker on its command line. The list is made before grep is there, which has it too.
nobody() {
  local files=(/proc/[0-9]*/cmdline)
  ! grep -qz -- "$marker" "${files[@]}" 2>/dev/null
}
kept() { "$cordon" list -aq | grep -x -- "$1" || true; }
tidy() {
  local name
  for name in $("$cordon" list -aq | grep -- "-$$" || true); do
    "$cordon" rm -f "$name" 2>/dev/null || true
  done
}
at_end tidy

# 1. Killed at random points: the command that begins it, its supervisor, who follows its log, who waits for it.
lost=0 ended=0 none=0
for ((i = 0; i < times; i++)); do
  name=k$i-$$ nap=0.05
  # Every fourth is killed while it surely runs.
  ((i % 4 != 3)) || nap=2
  "$cordon" run -d --name "$name" --pids 50 -- sh -c "echo begun; sleep $nap; echo ended; : $marker" >said 2>err &
  begin=$!
  clients=()
  (
    for _ in {1..40}; do
      [[ ! -e $folder/$name/log ]] || break
      sleep 0.005
    done
    exec "$cordon" logs -f "$name" >followed 2>&1
  ) &
  clients+=($!)
  (
    sleep 0.0$((RANDOM % 10))
    exec "$cordon" wait "$name" >/dev/null 2>&1
  ) &
  clients+=($!)
  if ((i % 4 == 3)); then
    wait_for "the log of the ${i}th" 20 test -e "$folder/$name/log"
  else
    sleep "0.$(printf %03d $((RANDOM % 120)))"
  fi
  case $((i % 4)) in
    0) kill -KILL "$begin" 2>/dev/null || true ;;
    1) kill -KILL "${clients[0]}" "${clients[1]}" 2>/dev/null || true ;;
    *) # Its supervisor, which leads a session: it answers no question before the workload runs.
      victim=$(ps -eo pid=,sid=,args= | awk -v name="$name" '$1 == $2 && index($0, "--name " name " ") { found = $1 } END { print found }')
      [[ -z $victim ]] || kill -KILL "$victim" 2>/dev/null || true
      ;;
  esac
  wait "$begin" "${clients[@]}" 2>/dev/null || true
  wait_for "the end of everything after the ${i}th SIGKILL" 20 nobody
  # What is kept says what became of it, and goes when it is told to.
  if [[ -n $(kept "$name") ]]; then
    how=$("$cordon" inspect "$name" --field status) || die "what is kept after the ${i}th SIGKILL cannot be read"
    case $how in
      lost) lost=$((lost + 1)) ;;
      ended) ended=$((ended + 1)) ;;
      *) die "after the ${i}th SIGKILL it is $how" ;;
    esac
    "$cordon" logs "$name" >logged 2>/dev/null || die "the log after the ${i}th SIGKILL cannot be read"
    [[ $how != ended || $(<logged) == $'begun\nended' ]] || die "the log of what ended by itself is: $(<logged)"
    "$cordon" rm "$name" || die "it cannot be removed"
  else
    none=$((none + 1))
  fi
  [[ ! -e $folder/$name ]] || die "a place is left after the ${i}th SIGKILL"
done
((lost + none > 0 && ended > 0)) || die "of $times launches $lost were lost, $ended ended, of $none nothing was kept: the signals met nothing"
ok "of $times launches with a SIGKILL $lost were lost, $ended ended by themselves, of $none nothing was kept; nothing else was left"

# 2. A hundred commands at once.
for n in 1 2 3; do
  "$cordon" run -d --name "c$n-$$" -- sh -c "while :; do sleep 0.1; done; : $marker" >/dev/null 2>&1 || die "it cannot be begun"
done
# each NUMBER: one command, and whether its answer is one that it may give
each() {
  local number=$1 name="c$(($1 % 3 + 1))-$$" status=0 allowed
  case $((number % 10)) in
    0 | 1) "$cordon" list >"out.$number" 2>&1 || status=$? ; allowed="0" ;;
    2 | 3) "$cordon" inspect "$name" >"out.$number" 2>&1 || status=$? ; allowed="0 125" ;;
    # Killed with its sandbox, or too late.
    4 | 5) "$cordon" exec "$name" -- true >"out.$number" 2>&1 || status=$? ; allowed="0 125 137" ;;
    6) "$cordon" logs "$name" >"out.$number" 2>&1 || status=$? ; allowed="0 125" ;;
    7) "$cordon" list -a >"out.$number" 2>&1 || status=$? ; allowed="0" ;;
    8) if ((number > 70)); then "$cordon" kill -s KILL "$name" >"out.$number" 2>&1 || status=$?; fi ; allowed="0 125" ;;
    9) if ((number > 70)); then "$cordon" rm -f "$name" >"out.$number" 2>&1 || status=$?; fi ; allowed="0 125" ;;
  esac
  if [[ " $allowed " != *" $status "* ]]; then
    echo "command $number (kind $((number % 10))) gave $status: $(<"out.$number")" >>wrong
  elif [[ $status == 125 ]] && ! grep -q "has ended\|no sandbox called\|there is no sandbox" "out.$number"; then
    echo "command $number (kind $((number % 10))) gave 125 for another reason: $(<"out.$number")" >>wrong
  fi
}
pids=()
for ((number = 0; number < 100; number++)); do
  each "$number" &
  pids+=($!)
done
wait "${pids[@]}"
[[ ! -e wrong ]] || die "$(<wrong)"
ok "a hundred commands at once give answers that they may give"
tidy
wait_for "the end of all" 20 nobody
expect_equal "and nothing is left" "" "$("$cordon" list -aq | grep -- "-$$" || true)"

# 3. A name is given once, however many ask for it.
for n in {1..10}; do
  ("$cordon" run -d --name "n-$$" -- sh -c "sleep 1000; : $marker" >/dev/null 2>&1 && echo "$n" >>winners) &
  pids+=($!)
done
wait "${pids[@]}" 2>/dev/null || true
expect_equal "of ten that ask for a name at once one gets it" 1 "$(wc -l <winners)"
"$cordon" rm -f "n-$$"
wait_for "the end of it" 20 nobody
echo "ok: $checks checks"
