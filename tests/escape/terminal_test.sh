#!/bin/bash
# terminal_test.sh BUILD_DIR: input for the terminal that the sandbox shares with who launched it (TIOCSTI; CVE-2017-5226, CVE-2019-10063).
# shellcheck source=tests/escape/attempts.sh
source "$(dirname "${BASH_SOURCE[0]}")/attempts.sh"
need_programs /usr/bin/python3
terminal() { /usr/bin/python3 -I "$here/own_terminal.py" "$1" run --rootfs "$root" -- escape type "id
" >"$work/said" 2>&1; }
guards=terminal
# Since Linux 6.2 only CAP_SYS_ADMIN may where the administrator said so (dev.tty.legacy_tiocsti = 0).
[[ $(cat /proc/sys/dev/tty/legacy_tiocsti 2>/dev/null || echo 1) == 1 ]] || guards=terminal,capabilities,confinement
stopped_by "$guards" "CVE-2017-5226: typing into the caller's terminal" terminal
/usr/bin/python3 -I "$here/own_terminal.py" "$victims/escape" type "id
" >"$work/said" 2>&1 || [[ $guards != terminal ]] || die "control: it cannot be done without a sandbox: $(<"$work/said")"
ok "control: without a sandbox it succeeds"
# shellcheck disable=SC2016  # for the inner shell
own() {
  /usr/bin/python3 -I "$here/../testing/at_terminal.py" see:ready see:done -- "$1" run -t --rootfs "$root" -- \
    sh -c 'echo ready; escape type "echo typed
" && read -r line && echo "ran $line"; echo done' >"$work/said" 2>&1 && grep -q "ran echo typed" "$work/said"
}
stopped_by "$guards" "typing into a terminal of the sandbox's own" own
expect_contains "the terminal can be used otherwise" "columns 80" \
  "$(/usr/bin/python3 -I "$here/own_terminal.py" "$cordon" run --rootfs "$root" -- busybox stty -a 2>&1 | tr -d '\r')"
echo "ok: $checks checks"
