#include "model/serving_when.h"

#include <algorithm>
#include <array>

namespace cordon {
namespace {

/// In the order of the enumeration.
constexpr std::array<std::string_view, 4> kNames{"", "listen", "ready-fd", "signal:USR1"};

}  // namespace

std::string_view Name(ServingWhen when) {
  return kNames.at(static_cast<std::size_t>(when));
}

std::optional<ServingWhen> ServingWhenFromName(std::string_view name) {
  const auto* const found = std::ranges::find(kNames, name);
  return found == kNames.end() || name.empty()
             ? std::nullopt
             : std::optional(static_cast<ServingWhen>(found - kNames.begin()));
}

}  // namespace cordon
