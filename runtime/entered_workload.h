#pragma once

#include <array>
#include <csignal>
#include <memory>
#include <vector>

#include "common/error.h"
#include "common/unique_fd.h"
#include "runtime/handover_page.h"
#include "runtime/held_workload.h"
#include "runtime/sandbox_cgroups.h"
#include "runtime/workload_process.h"

namespace cordon {

/// A further command in a running sandbox: in its namespaces and cgroups, under the same filter,
/// file rules, label, ids, capabilities and limits as the first one.
class EnteredWorkload {
 public:
  /// What it needs of the sandbox.
  struct Door {
    const std::vector<UniqueFd>& namespaces;  ///< EntryContext::namespaces
    int time_namespace = -1;                  ///< -1: the host's
    const SandboxCgroups& cgroups;
    int landlock_ruleset = -1;  ///< -1: none
    sigset_t signal_mask;       ///< the command's
    CallJudge& judge;           ///< must outlive the command
    CallAuditor* auditor;       ///< as well; nothing where the policy is enforced
  };

  /// Launches `plan` (of PlanEntry()) with `streams` as its standard ones. Its confinement and end
  /// are learned through held(). Called with the signals that the supervisor handles blocked.
  static Expected<std::unique_ptr<EnteredWorkload>> Start(LaunchPlan plan,
                                                          const SandboxOptions& options,
                                                          const Door& door,
                                                          const std::array<int, 3>& streams);

  EnteredWorkload(const EnteredWorkload&) = delete;
  EnteredWorkload& operator=(const EnteredWorkload&) = delete;
  /// Ends the command, also where its holder was killed before it let it execute.
  ~EnteredWorkload();

  HeldWorkload& held() { return held_; }

  const std::vector<std::string>& command() const { return plan_.arguments; }

 private:
  EnteredWorkload(LaunchPlan plan, const SandboxOptions& options, SharedHandover handover,
                  const Door& door)
      : plan_(std::move(plan)),
        handover_(std::move(handover)),
        execute_(plan_),
        held_(plan_, options, door.judge, door.auditor) {}

  Status Clone(const Door& door, const std::array<int, 3>& streams);

  LaunchPlan plan_;
  SharedHandover handover_;
  ExecuteArguments execute_;
  HeldWorkload held_;
};

}  // namespace cordon
