#pragma once

#include <sys/types.h>

namespace cordon {

/// Whether the process has executed a program since it was cloned: PF_FORKNOEXEC is off in the
/// flags that /proc/PID/stat shows (proc(5); linux/sched.h, 0x40 since Linux 2.6). False where that
/// cannot be read.
bool HasExecuted(pid_t pid);

}  // namespace cordon
