#!/bin/bash
# killed_test.sh BUILD_DIR [TIMES]: SIGKILL for cordon at TIMES (50) random points of launch, run and end of a sandbox, with further commands in
# half of them: nothing is left running, no cgroup and no mount, and after `cordon list` no place either.
if ((EUID == 0)) && [[ -z ${CORDON_OWN_MOUNTS:-} ]]; then
  # What other tests mount meanwhile is not to be taken for ours.
  CORDON_OWN_MOUNTS=yes exec unshare --mount --propagation private bash "$0" "$@"
fi
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
cordon=${cordon:?} times=${2:-50}
need_root
cd "$work"
folder=/run/cordon
mounts_before=$(</proc/self/mountinfo)
marker=5$RANDOM$RANDOM

# Everything of ours has the marker on its command line: cordon, its copies inside, the workload and what was entered. The list is made before
# grep is there, which has it too.
nobody() {
  local files=(/proc/[0-9]*/cmdline)
  ! grep -qz -- "$marker" "${files[@]}" 2>/dev/null
}
cgroups_of() { find /sys/fs/cgroup -maxdepth 6 -type d -name "cordon-$1-*" 2>/dev/null || true; }
no_cgroups() { [[ -z $(cgroups_of "$1") ]]; }

"$cordon" profile -o sleep.json -- sh -c 'cat /dev/null; sleep 0.05' 2>/dev/null || die "the workload cannot be learned"
"$cordon" generate sleep.json --name sleep -o policy 2>/dev/null || die "nothing can be generated"

during=0
for ((i = 0; i < times; i++)); do
  name=k-$$-$i
  # The workload ends by itself after 50 ms: 0 to 150 ms meets its launch, its run, its end and what comes after.
  "$cordon" run --name "$name" --policy policy --memory 64M --pids 50 -- sh -c "cat /dev/null; sleep 0.05; : $marker" >log 2>&1 &
  victim=$!
  client=
  if ((i % 2)); then
    (
      for _ in {1..40}; do
        [[ ! -S $folder/$name/control ]] || break
        sleep 0.005
      done
      exec "$cordon" exec "$name" -- sleep "$marker" >/dev/null 2>&1
    ) &
    client=$!
  fi
  sleep "0.$(printf %03d $((RANDOM % 150)))"
  if kill -KILL "$victim" 2>/dev/null; then
    during=$((during + 1))
  fi
  wait "$victim" 2>/dev/null || true
  [[ -z $client ]] || wait "$client" 2>/dev/null || true
  wait_for "the end of everything after the ${i}th SIGKILL" 20 nobody
  wait_for "the removal of its cgroups after the ${i}th SIGKILL" 20 no_cgroups "$victim"
  "$cordon" list -q >names
  [[ ! -e $folder/$name ]] || die "a place is left after the ${i}th SIGKILL"
  ! grep -qx "$name" names || die "what was killed is listed"
done
expect_equal "no mount is left" "$mounts_before" "$(</proc/self/mountinfo)"
((during > times / 4)) || die "only $during of $times signals met a running cordon"
ok "$during of $times signals met a running cordon, and nothing was left"

# The control: the marker finds a workload that lives.
start_server "$work/log" "$cordon" run --name "k-$$" -- sleep "$marker"
# Where the search for the others would find it, too.
somebody() { ! nobody; }
wait_for "a workload that is left alone" 20 somebody
ok "control: what runs is found"
echo "ok: $checks checks"
