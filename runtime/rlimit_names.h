#pragma once

#include <optional>
#include <string_view>

namespace cordon {

/// RLIMIT_* of getrlimit(2) for "RLIMIT_NOFILE", …, or nothing.
std::optional<int> RlimitNumber(std::string_view name);

}  // namespace cordon
