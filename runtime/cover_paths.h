#pragma once

#include "runtime/launch_plan.h"
#include "runtime/launch_step.h"
#include "runtime/mount_root.h"

namespace cordon {

/// Makes the plan's read-only paths read-only, then masks its masked ones: a file by the host's
/// /dev/null (`null_device`, O_PATH), a folder by an empty read-only tmpfs. What does not exist is
/// left out. A path below a mount of proc or sysfs is found from that mount's own descriptor: a
/// link that is exchanged above it leads nowhere (CVE-2025-31133). Async-signal-safe.
StepResult CoverPaths(const LaunchPlan& plan, const MountScratch& scratch, int root,
                      int null_device);

/// Asks the kernel whether the finished tree is as planned: the root and every mount with its
/// attributes, every read-only path read-only, every masked one covered. Before `root` is closed
/// and the sources are. Async-signal-safe.
StepResult CheckTree(const LaunchPlan& plan, const MountScratch& scratch, int root);

}  // namespace cordon
