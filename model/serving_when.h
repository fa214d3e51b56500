#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace cordon {

/// What marks the boundary between the start of a workload and its serving.
enum class ServingWhen : std::uint8_t {
  kNever,
  kListen,  ///< its first listen(2), of any family
  kReady,   ///< the workload says so (Readiness)
  kSignal,  ///< SIGUSR1 to cordon
};

/// "listen", "ready-fd", "signal:USR1"; empty for kNever.
std::string_view Name(ServingWhen when);

/// Nothing for what is none of these, and for the empty text.
std::optional<ServingWhen> ServingWhenFromName(std::string_view name);

}  // namespace cordon
