#!/bin/bash
# docker.sh BUILD_DIR [RUNS]: from start to end of `docker run --rm IMAGE /bin/true` without a network, on cordon-runtime, crun and runc, interleaved, by one dockerd of
# its own. In a mount namespace of its own without the controllers of cgroup v2, since crun refuses a host that has both versions.
here=$(cd "$(dirname "$0")" && pwd)
if [[ -z ${CORDON_OWN_MOUNTS:-} ]]; then
  CORDON_OWN_MOUNTS=yes exec unshare --mount --propagation private bash "$here/docker.sh" "$@"
fi
# shellcheck source=tests/testing/harness.sh
source "$here/../tests/testing/harness.sh"
# shellcheck source=tests/docker/engine.sh
source "$here/../tests/docker/engine.sh"
runs=${2:-60}
need_root
need_programs /usr/sbin/dockerd /usr/bin/docker runc crun
[[ ! -e /sys/fs/cgroup/unified/cgroup.controllers ]] || mount --bind /dev/null /sys/fs/cgroup/unified/cgroup.controllers
# shellcheck disable=SC2034  # for start_engine
engine_arguments=(--add-runtime "cordon=$build/bin/cordon-runtime" --add-runtime "crun=$(command -v crun)")
start_engine
make_image box
ways=()
for runtime in cordon crun runc; do
  ways+=(@ "$runtime" "${docker[@]:?}" run --rm --network none --runtime "$runtime" box /bin/true)
  "${docker[@]}" run --rm --network none --runtime "$runtime" box /bin/true
done
"$build/bench/launch_time" "$runs" 0 "${ways[@]}"
