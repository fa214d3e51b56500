#pragma once

#include <sys/types.h>

#include "common/error.h"
#include "runtime/launch_plan.h"

namespace cordon {

/// Writes the plan's maps for the user namespace of the child `pid`, which waits: itself, or by
/// newuidmap(1) and newgidmap(1) where they map more than the caller's own ids. Nothing for a plan
/// without a user namespace. Fails naming the file or the program.
Status WriteIdMaps(pid_t pid, const LaunchPlan& plan);

}  // namespace cordon
