#pragma once

#include <string>

#include "common/error.h"
#include "runtime/host_features.h"

namespace cordon {

/// Whether this kernel runs SELinux, and whether it enforces.
SelinuxState ProbeSelinux();

/// Holds `label` against the loaded policy. kNotFound when the policy does not know it: its module
/// is not loaded.
Status CheckSelinuxLabel(const std::string& label);

}  // namespace cordon
