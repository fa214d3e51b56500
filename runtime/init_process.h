#pragma once

#include <array>

#include "runtime/hold_workload.h"
#include "runtime/mount_root.h"

namespace cordon {

/// What the sandbox's first process works with.
struct InitContext {
  HoldContext hold;
  MountScratch& mounts;
  std::array<int, 3> standard_streams = {-1, -1, -1};  ///< TakeStreams()
};

/// PID 1 of the sandbox: joins the cgroups, builds the root and holds the workload. Ends with the
/// workload, and with the supervisor; the kernel then kills all that is left in its pid namespace.
/// For the fresh child of clone3 with all signals blocked. Async-signal-safe.
[[noreturn]] void RunInit(const InitContext& context);

}  // namespace cordon
