#pragma once

#include <string_view>

namespace cordon {

/// Whether `word`, in lower case, is one of checkmodule's own (checkpolicy/policy_scan.l), which
/// does not take it for the name of a module: "true", "range", "user".
bool IsPolicyKeyword(std::string_view word);

}  // namespace cordon
