#pragma once

#include "runtime/mount_root.h"
#include "runtime/workload_process.h"

namespace cordon {

/// What the sandbox's first process works with: the plan and what was laid out or opened for it
/// before the clone.
struct InitContext {
  const LaunchPlan& plan;
  MountScratch& mounts;
  const ExecuteArguments& execute;
  HandoverPage& page;
  std::vector<int> cgroup_task_files;
  int supervisor = -1;  ///< SOCK_SEQPACKET, speaks runtime/setup_channel.h
  sigset_t signal_mask;
};

/// PID 1 of the sandbox: joins the cgroups, builds the root, starts the workload and stays,
/// unfiltered but without capabilities, to reap, to pass signals on, to hand the seccomp listener
/// out and to make sockets for published ports. Ends with the workload, and with the supervisor
/// (PR_SET_PDEATHSIG); the kernel then kills all that is left in its pid namespace. For the fresh
/// child of clone3 with all signals blocked. Async-signal-safe.
[[noreturn]] void RunInit(const InitContext& context);

}  // namespace cordon
