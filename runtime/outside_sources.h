#pragma once

#include <vector>

#include "common/error.h"
#include "common/unique_fd.h"
#include "runtime/launch_plan.h"
#include "runtime/mount_root.h"

namespace cordon {

/// The root and the sources of bind mounts, cloned by the supervisor: root inside a sandbox whose
/// ids are a range of their own may search no folder that is private to the host's root, and may
/// not map ids of mounts. Empty where LaunchPlan::sources_outside is not set.
class OutsideSources {
 public:
  /// Clones them, detached, private or slaves, with the attributes of the plan. Fails naming the
  /// mount.
  static Expected<OutsideSources> Open(const LaunchPlan& plan);

  /// Maps the ids of those that are to be, by the user namespace of the first process, whose maps
  /// are written. Before it may use them. kUnsupported where a file system cannot (Linux 5.12, and
  /// its own support).
  Status MapIds(int user_namespace) const;

  /// Every descriptor, for HoldContext::kept.
  std::vector<int> Descriptors() const;

  /// Puts the descriptors where MountRoot() finds them.
  void Give(MountScratch& scratch) const;

 private:
  const LaunchPlan* plan_ = nullptr;
  UniqueFd root_;
  std::vector<UniqueFd> sources_;  ///< one per LaunchPlan::mounts, some without a descriptor
  std::vector<int> missing_;       ///< the errno of an optional one, negative
};

}  // namespace cordon
