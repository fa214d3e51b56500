#!/bin/bash
# blocks_test.sh BUILD_DIR DOCUMENT [MARK…]: runs the command blocks of a document, in a mount and a network namespace of its own where nginx is as
# Debian has it, and compares what they print. Of blocks that need what is not here the files are looked at: an object for Kubernetes has the
# shape that its schema says, a drop-in is verified by systemd; the module for Fedora is compiled by a block.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=policies/examples/workloads.sh
source "$here/../../policies/examples/workloads.sh"
((EUID != 0)) || enter "$here/blocks_test.sh" "$@"
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
document=${2:?} marks=("${@:3}")
need_root
need_programs unshare ip pgrep curl /usr/bin/python3 /usr/sbin/nginx
document=$here/../../$document
place nginx
if [[ " ${marks[*]} " == *" docker "* ]]; then
  # shellcheck source=tests/docker/engine.sh
  source "$here/../docker/engine.sh"
  need_programs /usr/sbin/dockerd /usr/bin/docker runc
  mkdir -p /run/recordings
  mount -t tmpfs tmpfs /srv
  # shellcheck disable=SC2034  # for start_engine
  engine_config='{ "runtimes": { "cordon-learn": { "path": "'$build'/bin/cordon-learn", "runtimeArgs": ["--cordon-learn", "/srv/recordings"] } } }'
  start_engine
  export DOCKER_HOST=unix://$engine/docker.sock
  make_image nginx_files /usr/sbin/nginx
  # As the image of that name has it: its folders, and what it starts.
  mkdir "$work/image"
  "${docker[@]:?}" export "$("${docker[@]}" create nginx_files /bin/true)" | tar -x -C "$work/image"
  mkdir -p "$work/image"/{run/nginx,var/www}
  cp -r /var/www/html "$work/image/var/www/"
  tar -c -C "$work/image" . | "${docker[@]}" import --change 'CMD ["/usr/sbin/nginx", "-g", "daemon off;"]' - nginx >/dev/null
  mkdir "$work/bin"
  ln -s "${docker[0]}" "$work/bin/docker"
fi
mkdir "$work/reader"
cd "$work/reader"
export HOME=$work/reader EXAMPLES=$examples PATH=$work/bin:$build/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 CORDON_NO_CACHE=
/usr/bin/python3 -I "$here/run_blocks.py" "$document" "${marks[@]}" >"$work/said" 2>&1 || die "$(<"$work/said")"
ok "$(tail -n 1 "$work/said")"
grep 'not run here' "$work/said" || true

if [[ -s nginx-profile.json ]]; then
  /usr/bin/python3 -I "$here/check_shape.py" "$here/seccompprofile.schema.json" nginx-profile.json || die "the SeccompProfile has not the shape of its schema"
  ok "the object for Kubernetes has the shape of its schema"
  sed 's/"SCMP_ACT_ERRNO"/"SCMP_ACT_REFUSE"/' nginx-profile.json >broken.json
  ! /usr/bin/python3 -I "$here/check_shape.py" "$here/seccompprofile.schema.json" broken.json >"$work/said" || die "control: an action that is none has the shape"
  expect_contains "control: an action that is none has not" "/spec/defaultAction" "$(<"$work/said")"
fi
if [[ -s redis-server.service.d/cordon.conf ]] && command -v systemd-analyze >/dev/null; then
  mkdir -p units
  printf '[Service]\nExecStart=/bin/true\n' | cat - <(sed 1d redis-server.service.d/cordon.conf) >units/redis-server.service
  said=$(systemd-analyze verify ./units/redis-server.service 2>&1 | grep units/ || true)
  expect_equal "systemd knows every word of the drop-in" "" "$said"
fi
echo "ok: $checks checks"
