#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "model/sandbox_config.h"

namespace cordon::cli {

/// What --device and --device-rule ask for.
struct Devices {
  std::vector<Mount> mounts;  ///< the files of the devices
  std::vector<DeviceRule> rules;
};

/// `devices`: "/dev/fuse", "/dev/fuse:/dev/other:rw", of which the last part has letters of rwm.
/// `rules`: "c 10:229 rwm", "b 7:* r", "a" (devices.rst of cgroup-v1). Fails with kInvalidInput
/// naming the option, and with the errno of stat(2).
Expected<Devices> ParseDevices(const std::vector<std::string>& devices,
                               const std::vector<std::string>& rules);

}  // namespace cordon::cli
