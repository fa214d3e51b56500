#pragma once

#include "common/error.h"
#include "runtime/launch_plan.h"

namespace cordon {

/// Gives each new tmpfs of `plan` the SELinux label of the folder that it covers, as the policy was
/// learned with that one (mount(8), rootcontext=): what is made in it is then labelled as there.
/// For a plan with a label, on a kernel that runs SELinux. A folder without a label is left alone,
/// and so is a mount that the configuration gives one (context= and its like).
void LabelMounts(LaunchPlan& plan);

/// The SELinux label of the file `path`, links not followed; empty where there is none.
std::string FileLabel(const std::string& path);

/// The SELinux label of the process `pid`; empty where there is none, or it is gone.
std::string ProcessLabel(pid_t pid);

}  // namespace cordon
