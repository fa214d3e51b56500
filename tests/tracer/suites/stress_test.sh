#!/bin/bash
# stress_test.sh BUILD_DIR SECONDS: for SECONDS, run after run in turn of every tier: victims/turmoil is recorded while random tasks of it are
# killed, stopped and continued. Each run must end in time, with a recording that can be read, and leave nothing behind.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../../testing/harness.sh"
seconds=$2
need_programs /usr/bin/python3
# Of its own name, so that what is left behind can be told.
turmoil=$work/turmoil-${work##*.}
cp "$victims/turmoil" "$turmoil"
# A zombie has ended, whoever is to reap it.
left_behind() { pgrep --runstates D,R,S,T,t,I -x -- "$(basename "$turmoil" | cut -c1-15)"; }

limit=$((SECONDS + seconds))
killed=0
for ((run = 0; SECONDS < limit; run++)); do
  tiers=(exact filtered fast)
  tier=${tiers[run % 3]}
  recording=$work/$run.json
  length=$((2 + RANDOM % 3))
  rate=$((20 + RANDOM % 200))
  timeout -k 5 60 "$cordon" profile --quiet --tier "$tier" -o "$recording" -- "$turmoil" "$length" >"$work/out" 2>&1 &
  runner=$!
  at_end stop_pid "$runner"
  tracer=
  for _ in $(seq 100); do
    tracer=$(pgrep -P "$runner" || true)
    [[ -z $tracer ]] || break
    sleep 0.01
  done
  [[ -n $tracer ]] || die "run $run: cordon did not start"
  # A part of the runs is left to its own devices at the end.
  said=$(/usr/bin/python3 "$here/kill_at_random.py" "$tracer" $((1 + RANDOM % length)) "$rate" "$run")
  status=0
  wait "$runner" || status=$?
  [[ $status == 0 || $status == 137 ]] ||
    die "run $run ($tier): cordon ended with $status after $said: $(tail -n 3 "$work/out")"
  [[ -s $recording ]] || die "run $run ($tier): no recording after $said: $(tail -n 3 "$work/out")"
  "$cordon" show "$recording" >"$work/shown" 2>&1 || die "run $run ($tier): the recording cannot be read: $(cat "$work/shown")"
  left=$(left_behind || true)
  [[ -z $left ]] || die "run $run ($tier): left behind: $left"
  said=${said#*SIGKILL=}
  killed=$((killed + ${said%% *}))
  rm -f "$recording"
done
((killed > 0)) || die "nothing was killed"
ok "$run runs ended well while $killed tasks were killed at random"
