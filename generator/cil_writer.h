#pragma once

#include <string>
#include <vector>

#include "model/selinux_policy.h"

namespace cordon {

/// `policy` as a CIL module that `semodule -i` takes: flat names, a comment with the reason above
/// each rule. `heading` lines are comments at the top. Deterministic.
std::string WriteCil(const SelinuxPolicy& policy, const std::vector<std::string>& heading);

}  // namespace cordon
