#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>

#include "common/error.h"
#include "runtime/cgroup_layout.h"

namespace cordon {

enum class SelinuxState : std::uint8_t { kAbsent, kPermissive, kEnforcing };

/// What this host offers a launch: probed once, then passed as a value so that planning needs no
/// privilege.
struct HostFeatures {
  uid_t uid = 0;                             ///< effective
  gid_t gid = 0;                             ///< effective
  std::uint64_t permitted_capabilities = 0;  ///< CapPrm of the caller
  unsigned last_capability = 40;             ///< /proc/sys/kernel/cap_last_cap
  int landlock_abi = 0;                      ///< 0: no Landlock
  SelinuxState selinux = SelinuxState::kAbsent;
  CgroupLayout cgroups;
  int oom_score_adj = 0;          ///< the caller's (proc(5))
  std::map<int, rlimit> rlimits;  ///< RLIMIT_* -> the caller's limits
  bool seccomp_notify = true;     ///< SECCOMP_RET_USER_NOTIF is available (Linux 5.0)
};

/// Fails only where /proc cannot be read.
Expected<HostFeatures> ProbeHost();

}  // namespace cordon
