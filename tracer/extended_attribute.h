#pragma once

#include <optional>
#include <string>

#include "tracer/task_state.h"

namespace cordon {

/// The name ("user.comment") that a call of the setxattr, getxattr or removexattr family is about;
/// nothing for another call, or when it cannot be read.
std::optional<std::string> ExtendedAttribute(const TaskState& task, const CallFrame& frame);

}  // namespace cordon
