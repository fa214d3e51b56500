#pragma once

#include <sys/types.h>

#include <string>

#include "cli/oci/oci_call.h"
#include "cli/oci/oci_policy.h"
#include "common/error.h"
#include "common/unique_fd.h"
#include "model/oci_spec.h"
#include "model/policy_bundle.h"
#include "runtime/oci_folder.h"

namespace cordon::cli {

/// Where violations go when nobody says.
std::string DefaultViolationFolder();

/// How a container that is held to a policy is watched.
struct OciMonitoring {
  std::string folder;  ///< of logs
  std::string name;    ///< of the container's, without ".violations.jsonl"
  UniqueFd log;
  PolicyReports reports = PolicyReports::kLive;
  PolicyBundle bundle;
};

/// Opens the log of the container `id`: NAME.violations.jsonl in the folder of --cordon-violations,
/// of the variable CORDON_VIOLATIONS, or DefaultViolationFolder(). Fails where it cannot be
/// written.
Expected<OciMonitoring> PlanMonitoring(const OciCall& call, const OciSpec& spec,
                                       const std::string& id, const OciPolicy& policy,
                                       PolicyReports reports);

/// Leaves a monitor behind for the container in `folder`, whose first process waits for its start.
/// It outlives the caller, and ends with the container. Without it a call that the policy refuses
/// fails with ENOSYS. What goes wrong with it is in FOLDER/cordon-monitor.log.
Status LeaveMonitor(const OciFolder& folder, OciMonitoring monitoring, pid_t process,
                    UniqueFd ruleset);

}  // namespace cordon::cli
