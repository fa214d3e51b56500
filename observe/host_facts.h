#pragma once

#include <string>

#include "model/recording.h"

namespace cordon {

/// What a recording says of the machine, the kernel and who records, of this moment.
HostFacts ReadHostFacts();

/// The id of a new run: 16 random bytes as 32 hexadecimal digits.
std::string NewRunId();

}  // namespace cordon
