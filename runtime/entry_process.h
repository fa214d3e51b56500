#pragma once

#include <array>

#include "runtime/hold_workload.h"

namespace cordon {

/// What a process that enters a running sandbox works with.
struct EntryContext {
  HoldContext hold;
  /// In the order in which they are entered: a user namespace first, which gives the capabilities
  /// for the others, the mount namespace last.
  std::vector<int> namespaces;
  int proc = -1;  ///< the host's procfs
  std::array<int, 3> standard_streams = {-1, -1, -1};
};

/// Enters the cgroups and namespaces of a running sandbox and holds a further workload there,
/// confined as the first one is, in a session of its own. The kernel ends the workload with the
/// sandbox's first process (pid_namespaces(7)), this one then ends too. For the fresh child of
/// clone3 with all signals blocked. Async-signal-safe.
[[noreturn]] void RunEntry(const EntryContext& context);

}  // namespace cordon
