#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/error.h"
#include "runtime/host_features.h"
#include "tracer/trace_permission.h"

namespace cordon::cli {

/// Whether the caller can make cgroups with a controller.
enum class ControllerUse : std::uint8_t { kMissing, kNotDelegated, kUsable };

/// What the host says of itself to who asks as this user: values only, so that a report can be made
/// of a host that is not this one.
struct HostFacts {
  HostFeatures features;
  TraceSurroundings trace;
  std::string kernel;  ///< "Linux 6.1.0-18-amd64 x86_64"
  bool in_container = false;
  std::set<std::string> missing_calls;    ///< of those that a launch makes: "clone3"
  std::set<std::string> seccomp_actions;  ///< /proc/sys/kernel/seccomp/actions_avail

  std::optional<std::uint64_t> max_user_namespaces;  ///< user.max_user_namespaces
  std::optional<int> unprivileged_user_namespaces;   ///< kernel.unprivileged_userns_clone, Debian's
  std::optional<int>
      apparmor_restricts;        ///< kernel.apparmor_restrict_unprivileged_userns, Ubuntu's
  int user_namespace_errno = 0;  ///< of making one, and a mount namespace in it; 0: made
  int namespaces_errno = 0;      ///< of making the others as this user; 0: made
  bool time_namespaces = false;
  bool idmapped_mounts = false;

  std::map<std::string, ControllerUse> controllers;  ///< memory, cpu, pids, freezer
  bool has_cgroup_v1 = false;
  bool has_cgroup_v2 = false;
  bool systemd = false;  ///< it runs the machine

  bool subordinate_ids = false;    ///< /etc/subuid and /etc/subgid have a range for this user
  std::set<std::string> programs;  ///< of newuidmap, newgidmap, pasta, ip, nsenter: on PATH
  bool libnftables = false;
  int tun_errno = 0;  ///< of opening /dev/net/tun; 0: opened
};

/// Asks this host. Makes and leaves nothing but a child process that tries namespaces out. The
/// caller must be single-threaded.
Expected<HostFacts> ProbeHostFacts();

}  // namespace cordon::cli
