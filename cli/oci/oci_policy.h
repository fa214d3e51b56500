#pragma once

#include <linux/filter.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/oci/oci_call.h"
#include "common/error.h"
#include "model/oci_spec.h"
#include "model/policy_bundle.h"
#include "runtime/oci_cgroups.h"
#include "runtime/oci_folder.h"
#include "runtime/oci_process.h"

/// A policy that a container is held to beside what its engine asks for.
namespace cordon::cli {

/// Whether its filter reports what it refuses.
enum class PolicyReports : std::uint8_t { kLive, kNone };

class OciPolicy {
 public:
  /// Reads the policy that --cordon-policy, the variable CORDON_POLICY or the annotation
  /// dev.cordon.policy names; nothing where none does. An annotation cannot replace what the other
  /// two say. Fails with a sentence for a folder that is no policy, and where containers are
  /// learned.
  static Expected<std::optional<OciPolicy>> Find(const OciCall& call, const OciSpec& spec);
  /// The one that a container was made with; nothing: it is held to none.
  static Expected<std::optional<OciPolicy>> Open(const OciFolder& folder);

  const SandboxConfig& config() const { return bundle_.config; }

  /// What its monitor judges by.
  const PolicyBundle& bundle() const { return bundle_; }

  /// Keeps it for later calls, whatever becomes of where it came from.
  Status Keep(const OciFolder& folder) const { return folder.WritePolicy(files_); }

  /// Adds its filter to the engine's.
  Expected<PolicyReports> AddFilter(OciFilter& filter) const;

  /// Lowers limits of `cgroups` that `engine` left higher. One that no cgroup here can hold is left
  /// out with a warning, as it is by `cordon run`.
  Status LowerLimits(const OciCall& call, const OciResources& engine,
                     const OciCgroups& cgroups) const;

 private:
  OciPolicy(std::string folder, std::map<std::string, std::string> files, PolicyBundle bundle)
      : folder_(std::move(folder)), files_(std::move(files)), bundle_(std::move(bundle)) {}

  std::string folder_;  ///< for messages
  std::map<std::string, std::string> files_;
  PolicyBundle bundle_;
};

}  // namespace cordon::cli
