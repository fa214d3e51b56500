#pragma once

#include <cstdint>
#include <vector>

#include "runtime/launch_step.h"
#include "runtime/oci_container_plan.h"

/// The container's tree. For its fresh process, in new mount and other namespaces. Everything here
/// is async-signal-safe; the host's files come as descriptors (runtime/oci_sources.h), and what is
/// inside is resolved once, by descriptor, without leaving the root (CVE-2021-30465,
/// CVE-2025-31133, CVE-2026-41579 were second looks by path).
namespace cordon {

/// OciSources as plain numbers.
struct OciTreeSources {
  int root = -1;
  std::vector<int> mounts;   ///< -1: none
  std::vector<int> devices;  ///< likewise
  int proc = -1;
};

/// Attaches the root where it lies, mounts everything on it, makes /dev, writes the kernel's
/// settings. The caller's own root stays.
StepResult BuildOciTree(const OciContainerPlan& plan, const OciTreeSources& sources);

/// Makes the root that BuildOciTree() attached the caller's, with its propagation, its working
/// folder (made where it is missing), read-only, paths masked: nothing of the host's is in reach.
StepResult EnterOciTree(const OciContainerPlan& plan, const OciTreeSources& sources);

}  // namespace cordon
