#!/bin/bash
# privileged_programs_test.sh BUILD_DIR: set-uid, set-gid and file-capability programs get their privilege under a tracer that has CAP_SYS_PTRACE;
# otherwise the kernel withholds it (execve(2)), and the recording says so.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../../testing/harness.sh"
need_root
need_programs setpriv /usr/bin/python3
cd "$work"

# The build folder may lie below one that only root may enter.
cp "${cordon:?}" cordon
for kind in plain user group capable; do cp "${victims:?}/identity" "$kind"; done
chmod 4755 user
chmod 2755 group
# cap_net_bind_service=ep, as struct vfs_ns_cap_data of linux/capability.h: revision 2, effective; bit 10 permitted.
/usr/bin/python3 -c '
import os, struct
os.setxattr("capable", "security.capability", struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0))'
mkdir out && chown 65534:65534 out

ordinary=(setpriv --reuid=65534 --regid=65534 --clear-groups)
declare -A privileged=(
  [plain]='uid 65534 euid 65534 egid 65534 capabilities 0' [user]='uid 65534 euid 0 egid 65534 capabilities 0x'
  [group]='uid 65534 euid 65534 egid 0 capabilities 0' [capable]='uid 65534 euid 65534 egid 65534 capabilities 0x400')
none='uid 65534 euid 65534 egid 65534 capabilities 0'

# says RECORDING KIND: does the recording say that this program lacked its privilege?
says() { grep -q "setuid-program.*$work/$2 ran without its privilege" "$1"; }

for kind in plain user group capable; do
  native=$("${ordinary[@]}" "./$kind")
  [[ $native == "${privileged[$kind]}"* ]] || skip "programs get no privilege on this file system: $kind is $native"

  for tier in exact filtered; do
    got=$("$cordon" profile --quiet --tier $tier -o out/root.json -- "${ordinary[@]}" "./$kind")
    expect_equal "$kind, cordon as root, $tier" "$native" "$got"
    ! says out/root.json $kind || die "$kind, $tier: a limitation that is none"

    got=$("${ordinary[@]}" ./cordon profile --quiet --tier $tier -o out/user.json -- "./$kind")
    expect_equal "$kind, cordon as an ordinary user, $tier" "$none" "${got%x0}"
    if [[ $kind == plain ]]; then
      ! says out/user.json $kind || die "$kind, $tier: a limitation that is none"
    else
      says out/user.json $kind || die "$kind, $tier: no limitation says that it had no privilege"
    fi
    rm out/user.json
  done
done

# In a container with CAP_SYS_PTRACE but not CAP_SYS_ADMIN the filter takes no_new_privs, which withholds it too.
few=(setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin)
got=$("${few[@]}" ./cordon profile --quiet --tier exact -o out/few.json -- "${ordinary[@]}" ./user)
expect_contains "without CAP_SYS_ADMIN, exact" 'euid 0' "$got"
! says out/few.json user || die "exact, without CAP_SYS_ADMIN: a limitation that is none"
got=$("${few[@]}" ./cordon profile --quiet --tier filtered -o out/few.json -- "${ordinary[@]}" ./user)
expect_contains "without CAP_SYS_ADMIN, filtered" 'euid 65534' "$got"
says out/few.json user || die "filtered, without CAP_SYS_ADMIN: no limitation says that it had no privilege"
ok "each withheld privilege is a limitation, and nothing else is"
