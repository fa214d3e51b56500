#include "runtime/host_features.h"

#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "common/file.h"
#include "common/text.h"
#include "runtime/selinux_label.h"

namespace cordon {
namespace {

constexpr std::size_t kProcFileLimit = std::size_t{16} << 20;

/// linux/landlock.h: LANDLOCK_CREATE_RULESET_VERSION.
constexpr unsigned kLandlockVersionQuery = 1;

std::uint64_t PermittedCapabilities(std::string_view status) {
  for (const std::string& line : Split(status, '\n')) {
    if (line.starts_with("CapPrm:\t")) {
      return ParseUnsigned("0x" + line.substr(8)).value_or(0);
    }
  }
  return 0;
}

}  // namespace

Expected<HostFeatures> ProbeHost() {
  HostFeatures host;
  host.uid = ::geteuid();
  host.gid = ::getegid();
  ASSIGN_OR_RETURN(const std::string status, ReadFile("/proc/self/status", kProcFileLimit));
  host.permitted_capabilities = PermittedCapabilities(status);
  ASSIGN_OR_RETURN(std::string last, ReadFile("/proc/sys/kernel/cap_last_cap", kProcFileLimit));
  while (!last.empty() && last.back() == '\n') {
    last.pop_back();
  }
  host.last_capability = static_cast<unsigned>(ParseUnsigned(last).value_or(40));
  if (const Expected<std::string> adj = ReadFile("/proc/self/oom_score_adj", kProcFileLimit)) {
    host.oom_score_adj = std::atoi(adj->c_str());
  }
  const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kLandlockVersionQuery);
  host.landlock_abi = abi > 0 ? static_cast<int>(abi) : 0;
  host.selinux = ProbeSelinux();
  ASSIGN_OR_RETURN(const std::string cgroup, ReadFile("/proc/self/cgroup", kProcFileLimit));
  ASSIGN_OR_RETURN(const std::string mounts, ReadFile("/proc/self/mountinfo", kProcFileLimit));
  host.cgroups = ParseCgroupLayout(cgroup, mounts);
  for (int resource = 0; resource < static_cast<int>(RLIM_NLIMITS); ++resource) {
    rlimit limit{};
    if (::getrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0) {
      host.rlimits[resource] = limit;
    }
  }
  std::uint32_t action = SECCOMP_RET_USER_NOTIF;
  host.seccomp_notify = ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
  return host;
}

}  // namespace cordon
