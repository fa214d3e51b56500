#pragma once

#include <sys/types.h>

#include <vector>

#include "common/error.h"
#include "tracer/kernel.h"

namespace cordon {

/// A task that ran before it was traced.
struct AttachedTask {
  pid_t id = 0;
  pid_t process = 0;  ///< thread group
  pid_t parent = 0;   ///< of the thread group
};

struct AttachedTree {
  std::vector<AttachedTask> tasks;  ///< parents before their children, leaders before their threads
  std::vector<pid_t> refused;       ///< descendants that may not be traced
};

/// Seizes every thread of `process` and of its live descendants, without stopping any. Threads and
/// children that are made meanwhile are seized too, or, when their maker was already, are traced by
/// the kernel and report by themselves: it looks again until a look finds nothing new. Fails, with
/// a sentence that says what to do, when `process` does not exist or may not be traced; a thread
/// that was seized before goes on when cordon ends.
Expected<AttachedTree> AttachTree(TraceKernel& kernel, pid_t process);

}  // namespace cordon
