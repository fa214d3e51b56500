#!/bin/bash
# boot.sh BUILD_DIR: boots the virtual machine once and runs every check in BUILD_DIR/vm/checks (cordon_vm_check makes them) in it, after what
# the check has this host prepare. Leaves BUILD_DIR/vm/results/NAME.{log,rc,dmesg}; exits 0 when the machine ran to its end, whatever the checks say, and 77 where it cannot be had.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${1:?usage: boot.sh BUILD_DIR}
results=$build/vm/results
seconds=${CORDON_VM_SECONDS:-1300}

rm -rf "$results"
mkdir -p "$results"
skip() {
  echo "SKIPPED: $*" | tee "$results/skipped" >&2
  exit 77
}

command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is not installed (package qemu-system-x86)"
[[ $(uname -m) == x86_64 ]] || skip "the virtual machine's image is for x86_64"
work=$(mktemp -d "${TMPDIR:-/tmp}/cordon-vm.XXXXXX")
trap 'rm -rf "$work"' EXIT
status=0
base=$("$here/base-image.sh" 2>"$work/base.err") || status=$?
((status != 77)) || skip "$(sed -n 's/^SKIPPED: //p' "$work/base.err")"
if ((status != 0)); then
  cat "$work/base.err" >&2
  exit 1
fi

mkdir -p "$work/overlay/vm"
cp "$here/start" "$work/overlay/vm/start"
for check in "$build"/vm/checks/*/; do
  # Files for the rest of the machine are in the check's root/.
  name=$(basename "$check")
  mkdir "$work/overlay/vm/$name"
  cp -r "$check/." "$work/overlay/vm/$name/"
  if [[ -d $check/root ]]; then
    cp -r "$check/root/." "$work/overlay/"
    rm -r "$work/overlay/vm/$name/root"
  fi
  if [[ -e $check/prepare ]]; then
    prepared=0
    bash "$(<"$check/prepare")" "$build" "$work/overlay/vm/$name/prepared" >"$results/$name.prepared" 2>&1 || prepared=$?
    if ((prepared != 0)); then
      # Without its own part in the machine it is skipped, or fails, by itself.
      cp "$results/$name.prepared" "$results/$name.log"
      ((prepared != 77)) || mv "$results/$name.prepared" "$results/$name.skipped"
      echo "$prepared" >"$results/$name.rc"
      rm -r "$work/overlay/vm/$name"
      continue
    fi
    cp -r "$work/overlay/vm/$name/prepared/root/." "$work/overlay/"
    rm -r "$work/overlay/vm/$name/prepared/root"
  fi
done
tar -C "$work/overlay" --owner=0 --group=0 --mode=go-w -cf "$work/overlay.tar" .
truncate -s %1M "$work/overlay.tar"
truncate -s 64M "$work/results.tar"

# Software emulation on purpose: it is the same everywhere, with or without /dev/kvm.
disk() { echo "-drive file=$2,format=raw,if=none,id=$1,snapshot=$3 -device nvme,drive=$1,serial=$1"; }
# no_timer_check: the kernel gives up when ticks come late, as they do where this host is busy.
# shellcheck disable=SC2046  # words
timeout "$seconds" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 1024 -display none -no-reboot -nodefaults \
  -no-user-config -serial "file:$work/console" -serial "file:$work/progress" \
  $(disk root "$base/base.ext4" on) $(disk overlay "$work/overlay.tar" off) $(disk results "$work/results.tar" off) \
  -kernel "$base/vmlinuz" -append "console=ttyS0 root=/dev/nvme0n1 rootfstype=ext4 rw init=/init security=selinux selinux=1 \
enforcing=0 no_timer_check audit_backlog_limit=65536 panic=-1 loglevel=3 printk.devkmsg=on log_buf_len=4M quiet" \
  </dev/null 2>"$work/qemu.err" || status=$?
cat "$work/progress"
if ! tar -C "$work" -xf "$work/results.tar" out 2>/dev/null; then
  echo "the virtual machine left no results (qemu ended with $status); its console:" >&2
  tail -n 30 "$work/console" "$work/qemu.err" >&2
  exit 1
fi
mv "$work"/out/* "$results/"
