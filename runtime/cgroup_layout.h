#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace cordon {

/// Where the calling process sits in the machine's cgroup hierarchies, as folders of the file
/// system.
struct CgroupLayout {
  std::map<std::string, std::string>
      v1;  ///< controller ("memory") -> the caller's folder in its hierarchy
  std::optional<std::string>
      v2;  ///< the caller's folder in the unified hierarchy, where one is mounted
  std::optional<std::string> v2_root;  ///< where that hierarchy is mounted

  bool operator==(const CgroupLayout&) const = default;
};

/// The layout that the texts of /proc/self/cgroup and /proc/self/mountinfo (proc(5)) describe: pure
/// v1, pure v2, or the hybrid of both. A hierarchy that is not mounted, or mounted so that the
/// caller's folder is not below the mount, is left out.
CgroupLayout ParseCgroupLayout(std::string_view proc_self_cgroup, std::string_view mountinfo);

}  // namespace cordon
