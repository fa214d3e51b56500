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

# What enters a sandbox brings a /proc of the host's along. Until execve(2) has walked the path of the program, that is a way to the root of
# every process that the workload could trace: here one of the host with nothing but the same user.
setpriv --bounding-set -all --inh-caps -all sleep 1000 &
foreign=$!
at_end stop_pid "$foreign"
cp "$(command -v busybox)" "$host/busybox"
exec 8</proc
expect_equal "control: that is a way there" foreign "$("/proc/self/fd/8/$foreign/root$host/busybox" echo foreign)"
exec 8<&-
for ((fd = 3; fd < 30; fd++)); do
  ln -s "/proc/self/fd/$fd/$foreign/root$host/busybox" "$root/bin/busybox$fd"
done
begun() { [[ $("$cordon" inspect "$name" --field pid 2>/dev/null) -gt 0 ]]; }
foreign_program() {
  local fd said=
  name=foreign-$RANDOM$RANDOM
  start_server "$work/said" "$1" run --rootfs "$root" --name "$name" -- sleep 1000
  wait_for "the sandbox: $(<"$work/said")" 20 begun
  for ((fd = 3; fd < 30; fd++)); do
    said+=$("$1" exec "$name" -- "/bin/busybox$fd" echo foreign 2>>"$work/said" || true)
  done
  "$cordon" kill -s KILL "$name"
  stop_pid "$server" KILL
  [[ $said == *foreign* ]]
}
stopped_by no-descriptors "CVE-2024-21626: a program behind a descriptor of cordon's own" foreign_program
echo "ok: $checks checks"
