#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cordon {

/// One line of mountinfo, as far as it concerns cgroups.
struct CgroupMount {
  std::string root;  ///< the folder of the hierarchy that is mounted
  std::string point;
  std::string type;  ///< "cgroup" or "cgroup2"
  std::vector<std::string> options;
};

/// The mounts of cgroups in the text of /proc/PID/mountinfo (proc(5)), in its order.
std::vector<CgroupMount> ParseCgroupMounts(std::string_view mountinfo);

/// One line of /proc/PID/cgroup (cgroups(7)).
struct CgroupMembership {
  std::vector<std::string> controllers;  ///< "name=systemd" for a named hierarchy; empty: v2
  std::string path;                      ///< from the root of the hierarchy
};

/// The lines of the text of /proc/PID/cgroup, in its order.
std::vector<CgroupMembership> ParseCgroupMemberships(std::string_view proc_cgroup);

}  // namespace cordon
