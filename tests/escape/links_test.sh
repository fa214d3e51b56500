#!/bin/bash
# links_test.sh BUILD_DIR: links of the image at the places of mounts, and ones that are exchanged meanwhile: nothing is made on the host.
# shellcheck source=tests/escape/attempts.sh
source "$(dirname "${BASH_SOURCE[0]}")/attempts.sh"
volume=$work/volume
mkdir "$volume"
made() {
  local found=no
  [[ ! -e $host/made ]] || found=yes
  rm -rf "$host/made"
  [[ $found == yes ]]
}

ln -s "$host" "$root/data/link"
link() {
  "$1" run --rootfs "$root" --volume "$volume:/data/link/made" -- /bin/true >"$work/said" 2>&1 || true
  made
}
stopped_by paths-in-root "CVE-2021-30465: a mount behind a link to the host" link

ln -s "../../../../../../../..$host" "$root/data/above"
above() {
  "$1" run --rootfs "$root" --volume "$volume:/data/above/made" -- /bin/true >"$work/said" 2>&1 || true
  made
}
stopped_by paths-in-root "a mount behind a link with many '..'" above

# /dev of the image leads to the host, and the configuration mounts nothing there.
make_root "$work/dev"
rmdir "$work/dev/dev"
ln -s "$host" "$work/dev/dev"
policy nodev 'c["mounts"] = [m for m in c["mounts"] if m["destination"] in ("/proc", "/sys")]'
device() {
  "$1" run --policy "$work/nodev" --rootfs "$work/dev" --volume /dev/null:/dev/made -- /bin/true >"$work/said" 2>&1 || true
  made
}
stopped_by paths-in-root "CVE-2026-41579, CVE-2026-47766: devices behind a /dev that is a link to the host" device
linked() { "$1" run --rootfs "$work/dev" -- readlink /dev >"$work/said" 2>&1; }
rm "$work/dev/dev"
ln -s data "$work/dev/dev"
stopped_by plain-folders "CVE-2026-47766: a /dev that is a link inside" linked

# The attacker beside the sandbox, in a volume or root that two of them share.
mkdir "$root/data/first"
ln -s "$host" "$root/data/second"
"$victims/escape" exchange "$root/data/first" "$root/data/second" 600 &
racer=$!
at_end kill "$racer"
race() {
  local i
  for ((i = 0; i < 40; i++)); do
    "$1" run --rootfs "$root" --volume "$volume:/data/first/made" -- /bin/true >"$work/said" 2>&1 || true
    if made; then
      return 0
    fi
  done
  return 1
}
stopped_by paths-in-root "CVE-2021-30465: a link that is exchanged during the launch" race
echo "ok: $checks checks"
