#!/bin/bash
# calibrate_interrupted_test.sh BUILD_DIR: a signal in the middle of `cordon calibrate` leaves no folder and no container behind.
# shellcheck source=tests/testing/harness.sh
source "$(dirname "${BASH_SOURCE[0]}")/../testing/harness.sh"
cordon=${cordon:?}
cd "$work"
# A runtime that notes where its bundle is and takes its time.
cat >runtime.sh <<'SCRIPT'
#!/bin/sh
here=$(dirname "$0")
case $* in
  *--version*) echo 'runc version 1.1.5' ;;
  *delete*) echo "$*" >>"$here/deleted" ;;
  *--bundle*)
    while [ "$1" != --bundle ]; do shift; done
    echo "$2" >"$here/bundle"
    sleep 2
    exit 1
    ;;
esac
SCRIPT
chmod +x runtime.sh

for signal in INT TERM; do
  rm -f bundle deleted
  # A shell's background jobs ignore SIGINT, and cordon would go on ignoring it.
  env --default-signal=INT "$cordon" calibrate --runtime runc -o set.json -- "$work/runtime.sh" 2>told &
  started=$!
  wait_for "the first start" 20 test -s bundle
  folder=$(cat bundle)
  [[ -d $folder && $folder == /var/tmp/cordon-calibrate.* ]] || die "control: '$folder' is no folder of calibrate's"
  kill "-$signal" "$started"
  status=0
  wait "$started" || status=$?
  expect_equal "SIG$signal: the exit status says so" "$((128 + $(kill -l "$signal")))" "$status"
  [[ ! -e $folder ]] || die "SIG$signal: $folder is left"
  ok "SIG$signal: its folder is gone"
  expect_contains "SIG$signal: the container was removed" "delete --force" "$(cat deleted)"
  expect_contains "SIG$signal: it says why it ended" "ended by signal" "$(cat told)"
  [[ ! -e set.json ]] || die "SIG$signal: half a base set was written"
  ok "SIG$signal: no half base set is written"
done
echo "ok: $checks checks"
