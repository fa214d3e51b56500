#pragma once

#include <string>

namespace cordon::cli {

/// Now as RFC 3339 has it, in UTC, with nanoseconds.
std::string UtcNow();

}  // namespace cordon::cli
