#pragma once

#include <optional>
#include <string>
#include <vector>

namespace cordon::cli {

/// Takes the first "--" and everything after it off `arguments`, a whole command line without the
/// program's name, and keeps what followed for WorkloadArguments(). CLI11 would take "[a,b]" among
/// them for a list of two.
void TakeWorkloadArguments(std::vector<std::string>& arguments);

/// What followed the "--"; nothing if there was none.
const std::optional<std::vector<std::string>>& WorkloadArguments();

}  // namespace cordon::cli
