#pragma once

#include <span>

#include "runtime/launch_step.h"

/// What the first process of a sandbox does like that of an OCI container. Between clone and exec:
/// raw, async-signal-safe calls only.
namespace cordon {

/// Closes all descriptors from `first` on but for `kept`, which are ascending; negative ones
/// are none. A descriptor that is only closed on exec is still there while execve(2)
/// walks the path of the program, which may be /proc/self/fd/N/… (CVE-2024-21626).
void CloseOthers(unsigned first, std::span<const int> kept);

/// Brings `lo` of the caller's network namespace up; needs CAP_NET_ADMIN over it.
StepResult BringLoopbackUp();

/// Makes the mount that `root` is on the root of the caller's mount namespace, and leaves nothing
/// of the old one; the working directory is the root then. Needs CAP_SYS_ADMIN over it.
StepResult PivotInto(int root);

/// A working directory outside the root would be a way out (CVE-2024-21626): fails with EXDEV.
StepResult CheckWorkingDirectory();

}  // namespace cordon
