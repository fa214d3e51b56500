#pragma once

#include <string>

#include "runtime/violation.h"

namespace cordon::cli {

/// One violation as a line of JSON, with a newline: time (milliseconds since 1970), enforcement,
/// call, name, arguments (registers), errno, phase, process (and its parents), files with accesses,
/// and the rules that would allow it.
std::string ViolationJson(const Violation& violation);

}  // namespace cordon::cli
