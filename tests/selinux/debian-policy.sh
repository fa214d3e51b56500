#!/bin/bash
# debian-policy.sh: fetches Debian's SELinux policy, without installing it, and prints the folder that it is in: one NAME.cil per module that the
# package enables, file_contexts, file_contexts.subs_dist, version. Kept in $CORDON_CACHE (default build/cache) and made once. Exits 77, after
# printing SKIPPED and the reason to standard error, where the package or a tool cannot be had.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${CORDON_CACHE:-$root/build/cache}
folder=$cache/selinux-policy-debian
package=selinux-policy-default

skip() {
  echo "SKIPPED: $*" >&2
  exit 77
}

mkdir -p "$cache"
exec 9>"$cache/.selinux-policy-debian.lock"
flock 9 # several tests may ask at once
if [[ -e $folder/version ]]; then
  echo "$folder"
  exit 0
fi

converter=/usr/libexec/selinux/hll/pp
for tool in apt-get dpkg-deb bzcat secilc "$converter"; do
  command -v "$tool" >/dev/null || skip "$tool is not installed (packages policycoreutils, secilc, bzip2)"
done
work=$(mktemp -d "$cache/.selinux-policy.XXXXXX")
trap 'rm -rf "$work"' EXIT
(cd "$work" && apt-get download "$package" >download.log 2>&1) ||
  skip "the package $package cannot be downloaded: $(tail -n 1 "$work/download.log")"
deb=$(echo "$work/$package"_*.deb)
dpkg-deb -x "$deb" "$work/tree"
dpkg-deb -e "$deb" "$work/control"

# The package's postinst names the modules that it installs but leaves disabled.
disabled=$(sed -n 's/^notdefault="\(.*\)"$/ \1 /p' "$work/control/postinst")
mkdir "$work/policy"
for module in "$work/tree/usr/share/selinux/default"/*.pp.bz2; do
  name=$(basename "$module" .pp.bz2)
  [[ $disabled == *" $name "* ]] && continue
  bzcat "$module" | "$converter" >"$work/policy/$name.cil"
done
# secilc sorts the file contexts as libsemanage does. Templates for home directories are no contexts yet.
secilc --disable-neverallow --mls true --output=/dev/null --filecontext="$work/file_contexts" "$work/policy"/*.cil
grep -v '^HOME_\|%{USER' "$work/file_contexts" >"$work/policy/file_contexts"
cp "$work/tree/etc/selinux/default/contexts/files/file_contexts.subs_dist" "$work/policy/"
dpkg-deb -f "$deb" Version >"$work/policy/version"
rm -rf "$folder"
mv "$work/policy" "$folder"
echo "$folder"
