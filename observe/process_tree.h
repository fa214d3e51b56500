#pragma once

#include <sys/types.h>

#include <vector>

namespace cordon {

/// The threads of `process` now (/proc/PID/task), in ascending order; empty when it is gone.
std::vector<pid_t> ThreadsOf(pid_t process);

/// `process` and all that descends from it now, parents before their children (the PPid lines of
/// /proc/*/status). One whose parent has ended belongs to init or a subreaper and is not found.
std::vector<pid_t> ProcessTree(pid_t process);

/// The descriptors that `process` has open, in ascending order (/proc/PID/fd); empty when that may
/// not be read.
std::vector<int> OpenDescriptors(pid_t process);

}  // namespace cordon
