#pragma once

#include <string>

#include "generator/selinux_rules.h"

namespace cordon {

/// Why each rule of `rules.policy` is there, as the JSON object of why.json (docs/policies.md):
/// for an allow rule every recorded access that needs it, with how often in one run and by which
/// programs, or else what it follows from. Of more than kMaxReasonsOfARule the first are kept, by
/// place, with the number of all.
std::string WriteSelinuxReasons(const SelinuxRules& rules);

inline constexpr std::size_t kMaxReasonsOfARule = 200;

}  // namespace cordon
