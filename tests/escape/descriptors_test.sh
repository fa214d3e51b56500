#!/bin/bash
# descriptors_test.sh BUILD_DIR: descriptors of who launches: no way to the host's folders (CVE-2024-21626).
# shellcheck source=tests/escape/attempts.sh
source "$(dirname "${BASH_SOURCE[0]}")/attempts.sh"
echo secret >"$host/secret"
exec 9<"$host"
directory() { [[ $("$1" run --rootfs "$root" --workdir /proc/self/fd/9 -- cat secret 2>"$work/said") == secret ]]; }
stopped_by no-descriptors "CVE-2024-21626: a leaked folder as working directory" directory
inherited() { [[ $("$1" run --rootfs "$root" -- cat /proc/self/fd/9/secret 2>"$work/said") == secret ]]; }
stopped_by no-descriptors "CVE-2024-21626: a leaked folder behind /proc/self/fd" inherited
parent() { [[ $("$1" run --rootfs "$root" --workdir /proc/self/fd/9 -- cat ../host/secret 2>"$work/said") == secret ]]; }
stopped_by no-descriptors "CVE-2024-21626: up from a leaked folder" parent
for ((fd = 3; fd < 20; fd++)); do
  if "$cordon" run --rootfs "$root" --workdir "/proc/self/fd/$fd" -- /bin/true 2>/dev/null; then
    die "the working directory may be descriptor $fd"
  fi
done
ok "no descriptor from 3 to 19 is a working directory"
echo "ok: $checks checks"
