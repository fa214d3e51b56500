#pragma once

#include <vector>

#include "runtime/launch_plan.h"
#include "runtime/launch_step.h"

namespace cordon {

/// Where MountRoot keeps descriptors, sized before the clone because the child must not allocate.
struct MountScratch {
  /// One per LaunchPlan::mounts; a negative errno where the host has no such source, or none that
  /// the caller may reach: that mount is left out.
  /// What is a descriptor already was opened outside, with its attributes
  /// (runtime/outside_sources.h).
  std::vector<int> sources;
  int root = -1;          ///< the same of the root
  int private_proc = -1;  ///< out: the sandbox's own procfs, reached by nothing that a root file
                          ///< system could have put over /proc
  int master = -1;        ///< out: of the plan's terminal
  int terminal = -1;      ///< out: the same

  explicit MountScratch(const LaunchPlan& plan) : sources(plan.mounts.size(), -1) {}
};

/// Builds the sandbox's tree and makes it the root. For the fresh child, in new mount and pid
/// namespaces (and its user namespace, with maps). Async-signal-safe. Everything of the host is
/// opened before the new root exists and everything inside is resolved once, by descriptor, with
/// RESOLVE_IN_ROOT (CVE-2021-30465, CVE-2025-31133, CVE-2026-41579 were second looks by path).
StepResult MountRoot(const LaunchPlan& plan, MountScratch& scratch);

}  // namespace cordon
