#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/error.h"

namespace cordon {

/// Where below a hierarchy cgroups are to be made.
enum class CgroupPlacement : std::uint8_t {
  kNearCaller,  ///< below the caller's, or where that cannot be, above it
  kExactly,     ///< where the layout says
};

/// Where the calling process sits in the machine's cgroup hierarchies, as folders of the file
/// system.
struct CgroupLayout {
  std::map<std::string, std::string>
      v1;  ///< controller ("memory") -> the caller's folder in its hierarchy
  std::map<std::string, std::string> v1_roots;  ///< controller -> where its hierarchy is mounted
  std::optional<std::string>
      v2;  ///< the caller's folder in the unified hierarchy, where one is mounted
  std::optional<std::string> v2_root;  ///< where that hierarchy is mounted

  CgroupPlacement placement = CgroupPlacement::kNearCaller;

  bool operator==(const CgroupLayout&) const = default;
};

/// The layout that the texts of /proc/self/cgroup and /proc/self/mountinfo (proc(5)) describe: pure
/// v1, pure v2, or the hybrid of both. A hierarchy that is not mounted, or mounted so that the
/// caller's folder is not below the mount, is left out.
CgroupLayout ParseCgroupLayout(std::string_view proc_self_cgroup, std::string_view mountinfo);

/// `layout` with the cgroup `parent` in place of the caller's: from the root of each hierarchy when
/// it begins with a slash, else below the caller's. Fails with kInvalidInput for one with "..".
Expected<CgroupLayout> BelowParent(CgroupLayout layout, const std::string& parent);

}  // namespace cordon
