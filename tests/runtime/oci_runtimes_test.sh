#!/bin/bash
# oci_runtimes_test.sh BUILD_DIR: runc and crun run the config.json that cordon generates.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
need_root
cordon=${cordon:?}
cd "$work"
mkdir data
"$cordon" profile -o recording.json -- sh -c "cat /etc/hostname >/dev/null; echo made >$work/data/file; grep Seccomp: /proc/self/status" >/dev/null

# runs_it RUNTIME COMMAND…: in a mount namespace of its own, where the host's root is bound to where config.json says it is.
runs_it() {
  local runtime=$1 output
  shift
  need_programs "$runtime" unshare
  "$cordon" generate recording.json --name "oci$runtime" --runtime "$runtime" -o "$runtime.policy"
  mkdir "$runtime.policy/rootfs"
  # Both refuse a label where the kernel does not run SELinux.
  [[ -e /sys/fs/selinux/enforce ]] || sed -i ':a;N;$!ba;s/,\n *"selinuxLabel": "[^"]*"//' "$runtime.policy/config.json"
  rm -f data/file
  # The second mount hides what makes crun refuse a hybrid of both cgroup versions.
  # shellcheck disable=SC2016  # for the inner shell
  output=$(unshare -m sh -c '
    mount --rbind / "$1/rootfs" && mount --make-rprivate "$1/rootfs"
    if [ -e /sys/fs/cgroup/unified/cgroup.controllers ]; then
      mount --bind /dev/null /sys/fs/cgroup/unified/cgroup.controllers
    fi
    exec "$2" run --bundle "$1" "cordon-test-$$"' sh "$work/$runtime.policy" "$runtime" 2>&1) || die "$runtime does not run it: $output"
  expect_contains "$runtime runs the generated bundle under its filter" "Seccomp:	2" "$output"
  expect_equal "$runtime lets it write what it wrote" made "$(cat data/file)"
}
runs_it runc
runs_it crun
echo "ok: $checks checks"
