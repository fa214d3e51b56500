#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cordon {

/// The bit number of "CAP_CHOWN", … (capabilities(7), Linux 6.18), or nothing.
std::optional<unsigned> CapabilityNumber(std::string_view name);

/// "CAP_CHOWN", or "CAP_41" for a number that has no name here.
std::string CapabilityName(unsigned number);

}  // namespace cordon
