#pragma once

#include <set>
#include <string>
#include <vector>

#include "common/error.h"
#include "model/oci_resources.h"

namespace cordon {

/// One setting of a container's cgroup.
struct OciCgroupWrite {
  std::string controller;  ///< "memory"; empty: of v2 itself
  std::string file;        ///< or several, separated by '|': the first that is there
  std::string value;
  bool operator==(const OciCgroupWrite&) const = default;
};

/// Which controllers a host has in v1 hierarchies; all others are v2's where that is mounted.
struct OciControllers {
  std::set<std::string> v1;  ///< "memory", …
  bool has_v2 = false;
};

/// What `resources` say to the files of the cgroups, in the order in which they are to be written,
/// but for devices. Pure. Fails with kUnsupported for what the version that has the controller
/// knows no file of.
Expected<std::vector<OciCgroupWrite>> OciCgroupWrites(const OciResources& resources,
                                                      const OciControllers& controllers);

/// The writes to devices.deny and devices.allow (v1) for `rules`, and after them for the devices
/// that every container has (config-linux.md, "Default Devices").
std::vector<OciCgroupWrite> OciDeviceWrites(const std::vector<OciDeviceRule>& rules);

}  // namespace cordon
