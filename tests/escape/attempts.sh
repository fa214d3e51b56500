# shellcheck shell=bash
# For the scripts of this folder: source it with BUILD_DIR as $1. Makes, besides what tests/testing/harness.sh does, a root file system in $root
# with busybox and the victim /bin/escape, which the workload is free to change, and a folder of the host in $host.
if ((EUID == 0)) && [[ -z ${CORDON_OWN_MOUNTS:-} ]]; then
  CORDON_OWN_MOUNTS=yes exec unshare --mount --propagation private bash "$0" "$@"
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
need_root
need_programs busybox setpriv
work=${work:?} cordon=${cordon:?} victims=${victims:?} build=${build:?}
unguarded=$build/tests/escape/cordon-unguarded
install -d -m 700 /run/cordon
mount -t tmpfs -o mode=700 cordon /run/cordon

# make_root FOLDER
make_root() {
  local applet
  mkdir -p "$1"/{bin,dev,proc,sys,tmp,etc,data}
  cp "$(command -v busybox)" "$1/bin/busybox"
  cp "$victims/escape" "$1/bin/escape"
  for applet in sh id cat ls touch stat mount echo sleep mkdir wc head readlink; do
    ln -sf busybox "$1/bin/$applet"
  done
}
root=$work/root host=$work/host
make_root "$root"
mkdir "$host"

# policy NAME CHANGE: a bundle without filter and file rules, whose config.json is cordon's default changed by a line of Python over `c`.
policy() {
  local name=$1 change=$2
  "$cordon" profile -o "$work/$name.json" -- /bin/true 2>/dev/null
  "$cordon" generate "$work/$name.json" --name "$name" -o "$work/$name" >/dev/null 2>&1 || die "no policy can be generated"
  /usr/bin/python3 -I - "$work/$name" "$change" <<'PYTHON'
import json, sys
folder, change = sys.argv[1:]
with open(folder + "/config.json") as file:
    c = json.load(file)
c["annotations"].pop("dev.cordon.landlock", None)
c["process"].pop("selinuxLabel", None)
c["linux"].pop("seccomp", None)
exec(change)
with open(folder + "/config.json", "w") as file:
    json.dump(c, file)
with open(folder + "/seccomp.json", "w") as file:
    json.dump({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": []}, file)
PYTHON
}

# stopped_by GUARDS WHAT ATTEMPT: `ATTEMPT PROGRAM` is a function that is true when it got out. It must not with the product, nor with the
# test build as it is, and must with the test build without GUARDS.
stopped_by() {
  local guards=$1 what=$2 attempt=$3
  if "$attempt" "$cordon"; then
    die "$what: it succeeds"
  fi
  ok "$what: it fails"
  if "$attempt" "$unguarded"; then
    die "$what: it succeeds with the test build"
  fi
  export CORDON_GUARDS_OFF=$guards
  "$attempt" "$unguarded" || die "control: $what: it fails without $guards too: $(cat "$work/said" 2>/dev/null)"
  unset CORDON_GUARDS_OFF
  ok "control: without $guards it succeeds"
}
