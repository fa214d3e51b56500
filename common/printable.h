#pragma once

#include <string>
#include <string_view>

namespace cordon {

/// `text` for one line of a terminal: control characters, newlines too, and non-UTF-8 escaped as
/// \xNN as Quote() has them, nothing else changed. For text of workloads and of files from outside
/// that stands unquoted.
std::string Printable(std::string_view text);

}  // namespace cordon
