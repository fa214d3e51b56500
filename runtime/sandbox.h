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
#include "runtime/violation.h"

namespace cordon {

/// What a run needs beyond its plan.
/// What becomes of a signal that RunSandbox() passes on, once it has returned.
enum class LateSignals : std::uint8_t {
  kAsBefore,  ///< as before the call
  kIgnored,   ///< ignored, where it would have ended this process: the terminal's Ctrl-C, which
              ///< ended the workload, may reach this process after the workload is gone, and must
              ///< not replace the workload's status
};

struct SandboxOptions {
  SeccompPolicy policy;  ///< what LaunchPlan::filter was compiled from, before its refusals were
                         ///< turned into notifications
  Enforcement enforcement = Enforcement::kEnforce;
  std::vector<PublishedPort> published;
  LimitsHeld limits_held = LimitsHeld::kAll;
  LateSignals late_signals = LateSignals::kAsBefore;
  std::function<void(const Violation&)> on_violation;
  std::function<void(const std::string&)> on_warning;
};

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
