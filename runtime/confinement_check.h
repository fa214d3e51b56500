#pragma once

#include <sys/types.h>

#include <string_view>

#include "common/error.h"
#include "runtime/launch_plan.h"

namespace cordon {

/// Holds what the kernel says of a process in the text of its /proc/PID/status (proc(5)) against
/// `plan`: Seccomp mode and NoNewPrivs, the capability sets, the ids. kInternal naming the first
/// difference: what is planned is not in force.
Status CheckConfinement(std::string_view status_text, const LaunchPlan& plan);

/// The same for the process `pid`, which must not have executed the command yet, and its SELinux
/// label for the next execve.
Status CheckConfinementOf(pid_t pid, const LaunchPlan& plan);

}  // namespace cordon
