#!/bin/bash
# calibrate_test.sh BUILD_DIR: what `cordon calibrate` measures of the runtimes that are installed is in policies/base_sets.json for their
# releases, and what it writes serves `generate --base-set`. Prints where the known set is larger.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
# shellcheck source=tests/docker/engine.sh
source "$here/engine.sh"
# shellcheck source=tests/docker/runtimes.sh
source "$here/runtimes.sh"
need_root
need_programs unshare tar busybox
cd "$work"
folder=$work
make_tree
"$cordon" profile -o app.json -- /usr/bin/busybox true

# in_own_mounts: cordon, and all that it starts, sees no hybrid of both cgroup versions, which crun refuses.
in_own_mounts() { unshare -m sh -c "${own_mounts:?}" sh '' "$cordon" calibrate "$@"; }

# names_of FILE: every call in a base set.
names_of() { /usr/bin/python3 -I -c 'import json, sys; print("\n".join(n for g in json.load(open(sys.argv[1]))["groups"] for n in g["names"]))' "$1" | sort -u; }

# measure RUNTIME KIND COMMAND…
measure() {
  local runtime=$1 kind=$2 said
  shift 2
  said=$("$@" 2>&1 >"$runtime.json") || die "$runtime cannot be calibrated: $said"
  echo "$said"
  expect_equal "$runtime makes nothing that is not known of its release" 2 "$(grep -c 'not in the known set: none;' <<<"$said")"
  expect_contains "$runtime needs execve" execve "$(names_of "$runtime.json")"
  (($(names_of "$runtime.json" | wc -l) > 3)) || die "$runtime: too few calls were found to be believed: $(cat "$runtime.json")"
  "$cordon" generate app.json --name app --runtime "$kind" --base-set "$runtime.json" -o "$runtime.policy" || die "$runtime: generate refuses the set"
  expect_contains "$runtime: rules of the measured set are marked" "measured: no container starts without it" "$(cat "$runtime.policy/why.json")"
}

ran=0
if docker_ready; then
  ran=1
  measure docker runc "$cordon" calibrate --runtime docker -- "${docker[@]}"
  expect_equal "nothing is left in Docker" "cordon-matrix" "$("${docker[@]}" images --format '{{.Repository}}')"
fi
if runc_ready; then
  ran=1
  measure runc runc "$cordon" calibrate --runtime runc
fi
if crun_ready; then
  ran=1
  measure crun crun in_own_mounts --runtime crun
fi
if podman_ready; then
  ran=1
  export CONTAINERS_CONF=$work/containers.conf
  measure podman crun in_own_mounts --runtime podman -- "${podman[@]:2}"
fi
((ran)) || skip "no container runtime is installed"
[[ -z $(find /var/tmp -maxdepth 1 -name 'cordon-calibrate.*' -newer app.json) ]] || die "a folder was left below /var/tmp"

# The controls: a runtime that does not start containers, and one that is not there.
cat >broken <<'SH'
#!/bin/sh
[ "$1" = --version ] && echo "runc version 1.1.5"
SH
chmod +x broken
status=0
said=$("$cordon" calibrate --runtime runc -- "$work/broken" 2>&1) || status=$?
expect_equal "a runtime that starts nothing" 125 "$status"
expect_contains "is told from one that needs much" "although its filter allows every call" "$said"
# A runtime that ignores the filter.
cat >careless <<'SH'
#!/bin/sh
[ "$1" = --version ] && echo "runc version 1.1.5" && exit
exit 42
SH
chmod +x careless
said=$("$cordon" calibrate --runtime runc -- "$work/careless" 2>&1) && die "a runtime without filters was calibrated"
expect_contains "a runtime that ignores filters" "does not put the filter in force" "$said"
"$cordon" calibrate --runtime runc -- "$work/none" >/dev/null 2>&1 && die "a runtime that is not there was calibrated"
ok "one that is not there"
echo "ok: $checks checks"
