#include "cli/parse_duration.h"

#include <array>
#include <utility>

#include "common/text.h"

namespace cordon::cli {

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  // "ms" before "s", which it ends with.
  static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 5> kUnits{
      {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"", 1000}}};
  constexpr std::uint64_t kYearMs = 366ULL * 24 * 3'600'000;
  for (const auto& [suffix, factor] : kUnits) {
    if (!text.ends_with(suffix)) {
      continue;
    }
    const std::optional<std::uint64_t> number =
        ParseUnsigned(text.substr(0, text.size() - suffix.size()));
    if (!number || *number == 0 || *number > kYearMs / factor) {
      return std::nullopt;
    }
    return std::chrono::milliseconds(*number * factor);
  }
  return std::nullopt;
}

}  // namespace cordon::cli
