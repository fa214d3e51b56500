#include "tracer/task_state.h"

#include <algorithm>

namespace cordon {

std::optional<std::uint64_t> ArgumentWithRole(const CallFrame& frame, ArgumentRole role) {
  const auto& roles = frame.signature->roles;
  const auto* const found = std::ranges::find(roles, role);
  if (found == roles.end()) {
    return std::nullopt;
  }
  return frame.meant.arguments[static_cast<std::size_t>(found - roles.begin())];
}

}  // namespace cordon
