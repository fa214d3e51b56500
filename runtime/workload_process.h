#pragma once

#include <csignal>

#include "runtime/handover_page.h"
#include "runtime/launch_plan.h"
#include "runtime/launch_step.h"

namespace cordon {

/// What execve takes, laid out before the clone because the child must not allocate.
struct ExecuteArguments {
  std::vector<std::string> more;         ///< variables beside the plan's
  std::vector<const char*> arguments;    ///< ends with nullptr
  std::vector<const char*> environment;  ///< ends with nullptr

  /// Points into `plan`, which must outlive it. `more`: variables over those of the plan.
  explicit ExecuteArguments(const LaunchPlan& plan, std::vector<std::string> more_variables = {});

  ExecuteArguments(const ExecuteArguments&) = delete;
  ExecuteArguments& operator=(const ExecuteArguments&) = delete;
  ~ExecuteArguments() = default;
};

/// What the workload's process needs beside the plan; set up by the sandbox's first process.
struct WorkloadContext {
  const LaunchPlan& plan;
  const ExecuteArguments& execute;
  HandoverPage& page;
  sigset_t signal_mask;       ///< to restore: the one that cordon was started with
  int private_proc = -1;      ///< the sandbox's own procfs
  int landlock_ruleset = -1;  ///< -1: no Landlock
  int handed_on = -1;         ///< descriptor that the command keeps; -1: none
};

/// Confines the calling process and executes the command. For the fresh child, which shares its
/// descriptor table (CLONE_FILES) but not its memory with its parent. Async-signal-safe. Order:
/// limits, label, capabilities, no_new_privs, Landlock, seccomp last; from there on it makes no
/// call but execve and exit_group, which a policy must always allow. Without no_new_privs also
/// capset, to drop the CAP_SYS_ADMIN that it needed until then.
[[noreturn]] void RunWorkload(const WorkloadContext& context);

}  // namespace cordon
