# shellcheck shell=bash
# Bundles for cordon-runtime without an engine. Needs harness.sh. make_root TREE PROGRAM… makes a root of the host's own programs; make_bundle
# NAME EDIT makes $work/NAME with that root (made once, as $work/root) and the `spec` that EDIT, in Python, has changed: it is called c, and
# $work is work. oci calls the runtime; everything that is left is removed at the end.

runtime=${build:?}/bin/cordon-runtime
oci() { "$runtime" --root "${work:?}/state" --log "$work/runtime.log" "$@"; }

make_root() {
  local tree=$1 program library
  shift
  mkdir -p "$tree"/{etc,tmp,proc,sys,dev,run,bin,lib64,mnt,root}
  printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n' >"$tree/etc/passwd"
  for program in /bin/dash "$@"; do
    install -D "$program" "$tree$program"
    while read -r library; do
      [[ -e $tree$library ]] || install -D "$library" "$tree$library"
    done < <(ldd "$program" 2>/dev/null | grep -o '/[^ ]*')
  done
  ln -sf dash "$tree/bin/sh"
}

make_bundle() {
  local bundle=$work/$1
  mkdir -p "$bundle"
  "$runtime" spec --bundle "$bundle"
  /usr/bin/python3 -c 'import json, sys
path, work, edit = sys.argv[1:]
c = json.load(open(path))
c["root"] = {"path": work + "/root"}
c["process"]["args"] = ["/bin/sh", "-c", "exit 0"]
exec(edit)
json.dump(c, open(path, "w"))' "$bundle/config.json" "$work" "$2"
}

remove_containers() {
  local id
  for id in $(oci list -q 2>/dev/null); do
    oci delete --force "$id"
  done
}
at_end remove_containers
