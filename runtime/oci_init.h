#pragma once

#include <cstdint>
#include <vector>

#include "runtime/oci_container_plan.h"
#include "runtime/oci_hook.h"
#include "runtime/oci_process.h"
#include "runtime/oci_tree.h"
#include "runtime/setup_channel.h"

/// What the processes do that become a container's own. For fresh children of clone3; everything
/// here is async-signal-safe.
namespace cordon {

/// What was laid out or opened before the clone.
struct OciInitContext {
  const OciContainerPlan& plan;
  const OciTreeSources& sources;
  const OciConfinement& confinement;
  HandoverPage& page;
  int page_file = -1;
  int runtime = -1;         ///< SOCK_SEQPACKET to the runtime, speaks runtime/setup_channel.h
  int listener = -1;        ///< where `start` connects to
  std::vector<int> joined;  ///< one per plan.joined
  std::vector<std::uint64_t> joined_flags;  ///< CLONE_NEW* of each
  std::vector<int> task_files;              ///< of v1 cgroups
  int cgroup_folder = -1;                   ///< of v2, for CLONE_INTO_CGROUP; -1: none
  const std::vector<OciHookCall>& create_hooks;
  const std::vector<OciHookCall>& start_hooks;
  const OciHookState& creating;
  const OciHookState& created;
  bool becomes_root = false;  ///< of a user namespace that is not the caller's
  /// What it keeps of the runtime's descriptors beside the standard and the preserved ones,
  /// ascending: a lock must not live on in it.
  std::vector<int> kept;
  /// The same for the wait for `start`: sockets and a page, no folder.
  std::vector<int> kept_for_start;
};

/// clone3(2) of a process that then is the container's first. `more_flags`: besides the plan's.
/// -1 with errno; 0 in the child.
pid_t CloneOciInit(const OciInitContext& context, std::uint64_t more_flags);

/// Builds the container, waits for `start`, and becomes the container's command.
[[noreturn]] void RunOciInit(const OciInitContext& context);

/// Enters the namespaces that exist, and makes the container's first process from there, as a
/// child of the caller's parent; tells the runtime its pid, and ends.
[[noreturn]] void RunOciJoiner(const OciInitContext& context);

/// Enters `joined` in an order in which each may be: those that a user namespace among them owns
/// come after it. 0 or a positive errno.
int JoinNamespaces(const std::vector<int>& joined, const std::vector<std::uint64_t>& flags);

/// Root in the user namespace that the caller is in.
StepResult BecomeRootInside(bool may_set_groups);

/// Tells the runtime what failed, and ends.
[[noreturn]] void ReportOciFailure(int runtime, const StepResult& result);

/// Waits for `kind`; ends where the runtime is gone.
void AwaitOci(int runtime, SetupMessageKind kind);

}  // namespace cordon
