#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "model/control_message.h"

namespace cordon::cli {

/// What the supervisor of `name` says of its sandbox.
Expected<SandboxState> InspectSandbox(const std::string& name);

/// The same of each of `names`. One that ends just now is not among them; one whose supervisor does
/// not answer is warned of.
std::vector<SandboxState> InspectEach(const std::vector<std::string>& names);

/// That of `name` alone, or of all that run when it is empty.
Expected<std::vector<SandboxState>> InspectSandboxes(const std::string& name);

/// Sends `request` to the supervisor of `name`, reports why not, and returns the exit code.
int OrderSandbox(const std::string& name, const ControlRequest& request);

}  // namespace cordon::cli
