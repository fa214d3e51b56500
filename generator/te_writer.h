#pragma once

#include <string>
#include <vector>

#include "model/selinux_policy.h"

namespace cordon {

/// `policy` as a type enforcement module for checkmodule(8) and reference policy builds. What a .te
/// cannot say, ports, stands in a comment with the semanage(8) command for it.
std::string WriteTe(const SelinuxPolicy& policy, const std::vector<std::string>& heading);

/// The file contexts of `policy` for semodule_package(8).
std::string WriteFc(const SelinuxPolicy& policy);

}  // namespace cordon
