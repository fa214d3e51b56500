#pragma once

#include <sys/types.h>

#include "common/error.h"
#include "runtime/launch_plan.h"

namespace cordon {

/// Writes the plan's oom_score_adj, if it has one, for the child `pid`, which waits, and reads it
/// back: what that one clones inherits it (proc(5)). The host's /proc, and not yet shut.
Status SetOomScore(pid_t pid, const LaunchPlan& plan);

}  // namespace cordon
