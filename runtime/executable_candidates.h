#pragma once

#include <string>
#include <vector>

namespace cordon {

/// The paths that execvp(3) would try for `command` with PATH as `environment` has it.
std::vector<std::string> ExecutableCandidates(const std::string& command,
                                              const std::vector<std::string>& environment);

}  // namespace cordon
