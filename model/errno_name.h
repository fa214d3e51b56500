#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cordon {

/// "ENOENT" for 2; "E524" for a number that the libc has no name for (errno(3)).
std::string ErrnoName(int positive_errno);
std::optional<int> ErrnoFromName(std::string_view name);

}  // namespace cordon
