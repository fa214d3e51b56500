#!/bin/bash
# Operations of every kind that SELinux checks (operations/*.inc), learned on a host without SELinux area by area (operations/learn.sh), give in the
# domain of their area's module what they give outside of it, and nothing is denied. Those that a host without SELinux cannot teach, or a recording
# cannot say, are in `unlike`, each with the reason; only they may differ, or be denied something.
set -u
cd "$(dirname "$0")" || exit 1
failed=0
mapfile -t areas < <(cut -d' ' -f1 prepared/list | uniq)
modules=()
for area in "${areas[@]}"; do modules+=("prepared/op_$area.policy/op_$area.cil"); done
echo "--- loading ${#modules[@]} modules at $(cut -d' ' -f1 /proc/uptime) s"
semodule -i "${modules[@]}" || exit 1
# Lets the control make code writable; our domains are none that this is for.
setsebool allow_execmem on

# as_new AREA: the files of an area, labelled
as_new() {
  local base=/srv/op_$1
  find "$base" -mindepth 1 ! -name program -delete
  "$base/program" "$base" prepare
  restorecon -RF "$base"
}

# run AREA FILE COMMAND…: what its operations give, started by COMMAND; in mounts of its own, and through a pipe, as a file of ours is none that
# the domain may write to
run() {
  local area=$1 file=$2
  shift 2
  as_new "$area"
  unshare --mount setsid --wait "$@" "/srv/op_$area/program" "/srv/op_$area" "$area" 2>&1 </dev/null | cat >>"$file"
}

echo "--- unconfined at $(cut -d' ' -f1 /proc/uptime) s"
for area in "${areas[@]}"; do run "$area" unconfined; done
echo "--- in their domains at $(cut -d' ' -f1 /proc/uptime) s"
dmesg -C
for area in "${areas[@]}"; do run "$area" confined runcon "system_u:system_r:op_${area}_t:s0"; done
echo "--- over at $(cut -d' ' -f1 /proc/uptime) s"
dmesg | grep 'avc:  denied.*scontext=[^ ]*:op_[a-z]*_t:' >denials

# An operation's process is called after it: 15 characters, as many as the kernel keeps.
awk -v total="$(wc -l <prepared/list)" '
  FILENAME == "unlike" { name = $1; $1 = ""; unlike[name] = substr($0, 2); short[substr(name, 1, 15)] = name; next }
  FILENAME == "prepared/host" { name = $1; $1 = ""; host[name] = substr($0, 2); next }
  FILENAME == "unconfined" { name = $1; $1 = ""; expected[name] = substr($0, 2); next }
  FILENAME == "confined" { name = $1; $1 = ""; got[name] = substr($0, 2); next }
  FILENAME == "denials" {
    match($0, /comm="[^"]*"/); comm = substr($0, RSTART + 6, RLENGTH - 7)
    if (!(comm in short)) { sub(/.*avc:  denied  /, ""); bad["denied: " $0] = 1 }
  }
  END {
    for (name in expected) {
      # The control has a domain too, which Debian does not allow everything.
      if (got[name] == expected[name] || (expected[name] == "EACCES" && got[name] == host[name])) same++
      else if (name in unlike) printf "%s: %s in the domain, %s outside, %s on the host: %s\n", name, got[name], expected[name], host[name], unlike[name] | "sort"
      else bad[name ": " got[name] " in the domain, " expected[name] " outside, " host[name] " on the host"] = 1
    }
    close("sort")
    printf "%d of %d operations give in their domain what they give outside of it\n", same, total
    for (one in bad) { print "not ok: " one | "sort"; status = 1 }
    close("sort")
    exit status || length(expected) != total
  }' unlike prepared/host unconfined confined denials || failed=1
exit $failed
