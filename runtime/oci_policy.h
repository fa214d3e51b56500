#pragma once

#include <linux/filter.h>

#include <vector>

#include "common/error.h"
#include "model/oci_resources.h"
#include "model/sandbox_config.h"
#include "runtime/host_features.h"
#include "runtime/oci_process.h"
#include "runtime/oci_process_plan.h"

/// What a policy of cordon's takes from a container that an engine asks for. Nothing here ever
/// gives more than the engine does.
namespace cordon {

/// Holds a process to `policy`: of the five sets of capabilities what both have, the smaller of two
/// limits, no_new_privs where either has it, and its Landlock rules. kUnsupported where nothing on
/// this host can hold the file part, kInvalidInput for names that nobody knows.
Status TightenOciProcess(const SandboxConfig& policy, const HostFeatures& host,
                         OciProcessPlan& plan);

/// Can the policy's filter report what it refuses? Not where the engine's has, or may need, the one
/// listener that there can be (seccomp_unotify(2)), or answers by other means than refusals.
bool MayReport(const OciFilter& engine);

/// Adds `policy`, the plain filter of a policy, to the engine's: what either refuses is refused.
/// Fails like CombineFilters().
Status AddPlainFilter(const std::vector<sock_filter>& policy, OciFilter& filter);

/// The same for a filter that notifies, where MayReport(): who starts the process gets its
/// listener.
Status AddNotifyingFilter(const std::vector<sock_filter>& policy, OciFilter& filter);

/// What `policy` limits more than `engine` does, and nothing else. Fails with kUnsupported for what
/// cannot be tightened: rules of devices and files of cgroup v2 by name; with kInvalidInput for
/// processors that the two do not share.
Expected<OciResources> TighterResources(const ResourceLimits& policy, const OciResources& engine);

/// The same for a change of a container that runs: only of what `change` speaks of.
Expected<OciResources> TighterChange(const ResourceLimits& policy, const OciResources& change);

/// `resources` by controller, so that one that cannot be held does not keep the others from it.
std::vector<OciResources> ByController(const OciResources& resources);

}  // namespace cordon
