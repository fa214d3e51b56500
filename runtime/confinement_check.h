#pragma once

#include <sys/types.h>

#include <string_view>

#include "common/error.h"
#include "runtime/launch_plan.h"

namespace cordon {

/// Holds what the kernel says of a process in the text of its /proc/PID/status (proc(5)) against
/// `plan`: Seccomp mode and NoNewPrivs, the capability sets, the ids as they are outside. kInternal
/// naming the first difference: what is planned is not in force.
Status CheckConfinement(std::string_view status_text, const LaunchPlan& plan);

/// The same for the text of /proc/PID/mountinfo: the root is one mount and read-only where it was
/// planned so; what is mounted at the place of a planned mount has its type, and is read-only,
/// nosuid, nodev and noexec where that was planned. Where a link in the root led a mount to another
/// place, CheckTree() (runtime/cover_paths.h) has seen to it.
Status CheckMounts(std::string_view mountinfo_text, const LaunchPlan& plan);

/// All of that for the process `pid`, which must not have executed the command yet, and its SELinux
/// label for the next execve.
Status CheckConfinementOf(pid_t pid, const LaunchPlan& plan);

/// Whether the child `pid`, which waits and has not shut itself against tracing, is in namespaces
/// of its own where the plan says so, and in the caller's where it does not.
Status CheckNamespacesOf(pid_t pid, const LaunchPlan& plan);

}  // namespace cordon
