#pragma once

#include <cstdint>

#include "model/file_access.h"

namespace cordon {

/// The accesses that `flags` of open(2) ask for: to open, and to read, write or append.
FileAccessSet AccessOfOpenFlags(std::uint64_t flags);

}  // namespace cordon
