#pragma once

#include <vector>

#include "common/error.h"
#include "common/unique_fd.h"
#include "runtime/oci_container_plan.h"

namespace cordon {

/// What a container needs of the host's files, opened by who sees the host and may do more than
/// who will be inside. Everything is closed on exec.
struct OciSources {
  UniqueFd root;                  ///< a detached clone of the root's mounts
  std::vector<UniqueFd> mounts;   ///< one per plan.mounts: a detached clone of a bind's source
  std::vector<UniqueFd> devices;  ///< one per plan.devices, with plan.bind_devices
  std::vector<UniqueFd> joined;   ///< one per plan.joined
  UniqueFd proc;                  ///< O_PATH, surely a procfs
};

/// Fails naming the mount, device or namespace of `plan`.
Expected<OciSources> OpenOciSources(const OciContainerPlan& plan);

/// /proc of the caller, surely a procfs.
Expected<UniqueFd> OpenHostProc();

/// The namespace at `path`, surely of the kind that `flag` (CLONE_NEW*) says.
Expected<UniqueFd> OpenNamespace(const std::string& path, std::uint64_t flag);

}  // namespace cordon
