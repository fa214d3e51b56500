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
  std::uint64_t unreported_violations = 0;  ///< repetitions of reported ones
};

/// Launches `plan`, supervises it to its end and leaves nothing behind. Must be called from the
/// only thread of the process; blocks the signals that it passes on meanwhile. Fails when the
/// sandbox cannot be made exactly as planned, naming the step; the command was not executed then.
Expected<SandboxResult> RunSandbox(const LaunchPlan& plan, const SandboxOptions& options);

}  // namespace cordon
