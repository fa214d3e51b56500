#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace cordon::cli {

/// "500ms", "30s" or "30", "5m", "2h" as milliseconds; nothing for another text, zero, or more than
/// a year.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);

}  // namespace cordon::cli
