#pragma once

#include <string>

#include "common/error.h"
#include "runtime/host_features.h"
#include "runtime/launch_plan.h"

namespace cordon {

/// Whether this kernel runs SELinux, and whether it enforces.
SelinuxState ProbeSelinux();

/// Holds `label` against the loaded policy. kNotFound when the policy does not know it: its module
/// is not loaded.
Status CheckSelinuxLabel(const std::string& label);

/// Asks the loaded policy whether this process may execute a program in the plan's domain: the
/// transition, with no_new_privs also process2:nnp_transition, and where the program may lie on a
/// nosuid mount of the host process2:nosuid_transition (Linux 4.14). Fails with kUnsupported naming
/// the rule that is missing. A policy that this process may not ask is not held against the plan:
/// execve(2) will fail.
Status CheckSelinuxTransition(const LaunchPlan& plan);

}  // namespace cordon
