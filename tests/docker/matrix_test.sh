#!/bin/bash
# matrix_test.sh BUILD_DIR PROGRAM…: each PROGRAM (sh, python, perl, git, nginx, redis) is learned on the host, and does the same work under
# the policy that was generated for it, as it was written, on Docker with runc, Podman with crun, crun, runc and cordon, each with
# and without no_new_privileges. In every one of these sandboxes every system call there is gets what the policy says, also from a
# command that is executed in a running container; the control makes the same calls there without the policy. RUNTIMES='runc crun' limits it.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
# shellcheck source=tests/testing/servers.sh
source "$here/../testing/servers.sh"
# shellcheck source=tests/docker/engine.sh
source "$here/engine.sh"
# shellcheck source=tests/docker/runtimes.sh
source "$here/runtimes.sh"
shift
need_root
need_programs unshare /usr/bin/python3 busybox git perl /usr/sbin/nginx redis-server redis-cli redis-benchmark wrk
export LC_ALL=C
cp -r "$here/programs" "$victims/call_probe" "$victims/syscall_probe" "$work/"
chmod -R a+rX "$work/programs"

# The programs: PROGRAM_command fills $command; a server is one of servers.sh.
sh_command() { command=(/usr/bin/busybox sh "$work/programs/work.sh"); }
python_command() { command=(/usr/bin/python3 -I "$work/programs/work.py"); }
perl_command() { command=(/usr/bin/perl "$work/programs/work.pl"); }
git_command() { command=(/bin/sh "$work/programs/git.sh"); }
is_server() { declare -F "${1}_load" >/dev/null; }
# The engines get the policy as it is by default, which is for any runtime; the runtimes alone the one for them.
base_set_of() { case $1 in docker | podman) echo any ;; *) echo "$1" ;; esac; }

# serve LOG COMMAND…: starts the server, loads it, and leaves it running as $server.
serve() {
  local log=$1 limit=$((SECONDS + 60))
  shift
  rm -f "$folder"/{logs,data}/*.pid
  start_server "$log" "$@"
  until "${program}_works" "$port"; do
    die_if_ended "$what" "$log"
    ((SECONDS < limit)) || die "$what: it does not answer: $(tail -n 20 "$log")"
    sleep 0.1
  done
  "${program}_load" "$port" || die "$what: it does not serve under load: $(tail -n 20 "$log")"
}

# generated BASE [OPTION…]: the policy for one base set, and what it answers to every call.
generated() {
  local base=$1 policy=$work/$program.$1${3:-}.policy
  shift
  "$cordon" generate "$work/$program.recording.json" --name "learned_$program" --runtime "$base" "$@" -o "$policy" || die "$what: generate failed"
  "$answers_of" "$policy/seccomp.json" <"$work/calls" >"$work/answers"
  mv "$work/answers" "$policy/answers"
}

learn() {
  folder=$work/$program
  mkdir "$folder"
  what="$program on the host"
  if is_server "$program"; then
    port=$(free_port)
    "${program}_files" "$folder" "$port"
    "${program}_command" "$folder"
    serve "$work/learn.log" "$cordon" profile -o "$work/$program.recording.json" -- "${command[@]}"
    "${program}_stop" "$folder" "$port"
    wait_for "the end of cordon profile" 60 gone "$server"
  else
    "${program}_command"
    (cd "$folder" && "${command[@]}") >"$work/wanted.$program" 2>"$work/learn.log" || die "$what: $(cat "$work/learn.log")"
    (cd "$folder" && "$cordon" profile -o "$work/$program.recording.json" -- "${command[@]}") >"$work/got" 2>>"$work/learn.log" ||
      die "$what: it cannot be learned: $(cat "$work/learn.log")"
    expect_equal "$what does under cordon profile what it does" "$(cat "$work/wanted.$program")" "$(cat "$work/got")"
  fi
  for base in any runc crun cordon; do
    generated "$base"
  done
  generated cordon --no-new-privileges off
}

# What a filter is asked: as call_probe takes it, a call a line.
answers_of=$build/tests/docker/policy_answers
"$answers_of" >"$work/calls"
mapfile -t calls <"$work/calls"

# ask FILE COMMAND…: COMMAND, which runs what follows it in a sandbox, makes every call; FILE gets "CALL ERRNO" a line.
ask() {
  local file=$1
  shift
  "$@" "$work/call_probe" "${calls[@]}" >"$file" 2>"$file.err" || die "$what: the probe does not run: $(tail -n 5 "$file" "$file.err")"
  [[ $(grep -c . "$file") == "${#calls[@]}" ]] || die "$what: the probe ended early: $(tail -n 5 "$file" "$file.err")"
}

# compare FILE: what FILE has of the cell's calls is what its policy says.
compare() {
  /usr/bin/python3 -I "$here/compare_answers.py" "$policy/answers" "$1" "$work/control.$runtime.$nnp" "$work/control.all" >"$work/said" ||
    die "$what: $(cat "$work/said")"
  ok "$what: $(cat "$work/said")"
}

# in_sandbox POLICY COMMAND…: in a sandbox of the cell's kind that is not the program's.
in_sandbox() {
  local policy=$1 how=${runtime}_sandbox
  shift
  if declare -F "${runtime}_probe" >/dev/null; then how=${runtime}_probe; fi
  container=$container_prefix-$((++containers))
  ("$how" "$policy" "$nnp" "$@")
}
containers=0 container_prefix=$(basename "$work")

# control: what the same calls get on $runtime without the policy, once for all programs.
control() {
  what="$runtime without a policy, no_new_privileges $nnp"
  [[ -e $work/control.$runtime.$nnp ]] || ask "$work/control.$runtime.$nnp" in_sandbox none
}

# named: a few attempts that succeed without the policy, each refused as the policy says unless the program was seen to do it.
named() {
  local attempt call wanted got free
  free=$(in_sandbox none "$work/syscall_probe" unshare clone3 mount=/mnt ptrace raw_socket 2>&1) || die "$what: the attempts do not run: $free"
  got=$(in_sandbox "$policy" "$work/syscall_probe" unshare clone3 mount=/mnt ptrace raw_socket 2>&1) || die "$what: the attempts do not run: $got"
  for attempt in unshare:272,268435456 clone3:435 mount:165 ptrace:101 raw_socket:41,2,3,1; do
    call=${attempt#*:} attempt=${attempt%:*}
    grep -q "^$attempt ok\$" <<<"$free" || die "$what: control: $attempt does not work without the policy: $free"
    wanted=$(sed -n "s/^$call [^ ]* //p" "$policy/answers")
    case $wanted in
      allow) wanted=ok ;;
      1) wanted=EPERM ;;
      38) wanted=ENOSYS ;;
    esac
    grep -q "^$attempt $wanted\$" <<<"$got" || die "$what: $attempt should get $wanted: $got"
  done
  ok "$what: what succeeds without the policy is refused: ${got//$'\n'/, }"
}

# cell: $program on $runtime with no_new_privileges $nnp.
cell() {
  policy=$work/$program.$(base_set_of "$runtime").policy
  [[ $runtime-$nnp != cordon-off ]] || policy=$work/$program.cordonoff.policy
  control
  what="$program on $runtime, no_new_privileges $nnp"
  container=$container_prefix-$program-$runtime-$nnp
  if is_server "$program"; then
    serve "$work/run.log" "${runtime}_sandbox" "$policy" "$nnp" "${command[@]}"
    ok "$what: it serves under load"
    if declare -F "${runtime}_exec" >/dev/null; then
      ask "$work/executed" "${runtime}_exec"
      what+=", a further command" compare "$work/executed"
    fi
    stop_pid "$server"
  else
    ("${runtime}_sandbox" "$policy" "$nnp" "${command[@]}") >"$work/got" 2>"$work/run.log" || die "$what: exit $?: $(tail -n 5 "$work/got" "$work/run.log")"
    expect_equal "$what: it does its work" "$(cat "$work/wanted.$program")" "$(cat "$work/got")"
  fi
  ask "$work/answered" in_sandbox "$policy"
  compare "$work/answered"
  [[ $runtime == cordon ]] || named
}

make_tree
runtimes=()
for runtime in ${RUNTIMES:-docker podman runc crun cordon}; do
  if "${runtime}_ready"; then runtimes+=("$runtime"); else echo "SKIPPED: $runtime is not installed"; fi
done
((${#runtimes[@]} > 0)) || skip "no container runtime is installed"
# With every capability there is, so that what needs one is not mistaken for refused.
what="every capability, no policy" ask "$work/control.all" unshare -fpmuin

for program in "$@"; do
  learn
  any_policy=$work/$program.cordonoff.policy
  for runtime in "${runtimes[@]}"; do
    for nnp in on off; do
      cell
    done
  done
done
echo "ok: $checks checks"
