#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "model/outcome.h"
#include "model/sandbox_config.h"
#include "model/seccomp_policy.h"
#include "runtime/launch_plan.h"
#include "runtime/sandbox_options.h"

namespace cordon {

struct SandboxResult {
  Outcome outcome;
  std::uint64_t violations = 0;
  std::uint64_t unreported_violations = 0;  ///< of those: repeated, or more kinds than are reported
  std::uint64_t oom_kills = 0;              ///< processes that the kernel killed for want of memory
  std::uint64_t tasks_refused = 0;          ///< forks that failed at the limit of tasks
  ResourceLimits limits;                    ///< that it was held to at its end
  bool served = false;                      ///< its serving boundary came
};

/// Launches `plan`, supervises it to its end and leaves nothing behind. Must be called from the
/// only thread of the process; blocks the signals that it passes on meanwhile. Fails when the
/// sandbox cannot be made exactly as planned, naming the step; the command was not executed then.
Expected<SandboxResult> RunSandbox(const LaunchPlan& plan, const SandboxOptions& options);

}  // namespace cordon
