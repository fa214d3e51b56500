#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/sandbox_config.h"
#include "model/sandbox_state.h"
#include "model/seccomp_policy.h"
#include "model/serving_when.h"
#include "runtime/launch_request.h"
#include "runtime/output_log.h"
#include "runtime/systemd_scope.h"
#include "runtime/terminal_relay.h"
#include "runtime/violation.h"

namespace cordon {

/// What becomes of a signal that RunSandbox() passes on, once it has returned.
enum class LateSignals : std::uint8_t {
  kAsBefore,  ///< as before the call
  kIgnored,   ///< ignored, where it would have ended this process: the terminal's Ctrl-C, which
              ///< ended the workload, may reach this process after the workload is gone, and must
              ///< not replace the workload's status
};

/// What a run needs beyond its plan.
struct SandboxOptions {
  /// What LaunchPlan::filter was compiled from, before its refusals were turned into notifications.
  /// Asked at the first of these.
  std::function<Expected<SeccompPolicy>()> policy;
  /// Where LaunchPlan::filter was compiled from a policy of two phases: what is left of `policy` in
  /// the second, and what that begins with. Both are asked before the launch then.
  std::function<Expected<SeccompPolicy>()> serving_policy;
  ServingWhen serving_when = ServingWhen::kNever;
  Enforcement enforcement = Enforcement::kEnforce;
  int control_listener = -1;  ///< SandboxPlace::listener(); -1: nobody can ask or enter
  SandboxState facts;         ///< name, policy and network, for who asks
  LimitsHeld limits_held = LimitsHeld::kAll;
  std::optional<ScopePlan> scope;  ///< that cgroups of v2 are made in; nothing: none
  LateSignals late_signals = LateSignals::kAsBefore;
  std::optional<std::array<int, 3>> streams;  ///< the workload's; nothing: this process's own
  OutputLog* output = nullptr;                ///< where `streams` lead to; served while it runs
  TerminalRelay* terminal = nullptr;          ///< with LaunchPlan::terminal; served as well
  /// Called once the workload has executed its command. A failure ends the sandbox.
  std::function<Status(const SandboxState&)> on_executed;
  /// Called when all that ran is gone, before who waits for the end is told.
  std::function<void(const SandboxState&)> on_ended;
  /// The rules of files that an audit compares with; nothing: none, or the policy is enforced.
  std::optional<std::vector<LandlockRule>> audited_files;
  std::function<void(const Violation&)> on_violation;
  std::function<void(const Violation&)>
      on_audited;                    ///< everything that an audit finds; may be empty
  std::function<void()> on_serving;  ///< the workload serves
  std::function<void(const std::string&)> on_warning;
};

}  // namespace cordon
