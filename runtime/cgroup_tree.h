#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace cordon {

/// A cgroup, what is in it, and the cgroups below.
struct CgroupTree {
  std::string name;                  ///< of its folder
  std::vector<pid_t> processes;      ///< as the caller's pid namespace numbers them, ascending
  std::vector<CgroupTree> children;  ///< by name
  bool operator==(const CgroupTree&) const = default;
};

/// The tree at `folder` now; what goes meanwhile is left out.
CgroupTree ReadCgroupTree(const std::string& folder);

}  // namespace cordon
