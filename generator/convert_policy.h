#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/error.h"
#include "model/seccomp_policy.h"

namespace cordon {

/// What a policy can be written as.
enum class PolicyTarget : std::uint8_t {
  kDocker,      ///< a profile for `docker --security-opt seccomp=`
  kOci,         ///< linux.seccomp of an OCI runtime configuration
  kPodman,      ///< a profile for `podman --security-opt seccomp=`
  kKubernetes,  ///< a SeccompProfile object of the Security Profiles Operator, in JSON
  kSystemd,     ///< a drop-in for a service
  kBpf,         ///< the program as seccomp(2) takes it: struct sock_filter after struct sock_filter
};

struct ConvertedPolicy {
  std::string document;
  std::vector<std::string> losses;  ///< what the target cannot say, a sentence each
};

/// `policy` in the target's words. `name` is what the object is called, where it has a name.
/// Deterministic. Fails like CompileSeccomp() for kBpf; for kKubernetes with kInvalidInput where
/// `name` cannot be an object's (RFC 1123 label); for kSystemd with kUnsupported where the default
/// action lets calls through.
Expected<ConvertedPolicy> ConvertPolicy(const SeccompPolicy& policy, const std::string& name,
                                        PolicyTarget target);

/// Fails with kInvalidInput where no Kubernetes object can be called `name` (RFC 1123 label).
Status CheckObjectName(const std::string& name);

/// A service's drop-in, as ConvertPolicy() makes it for kSystemd.
Expected<ConvertedPolicy> ConvertToSystemd(const SeccompPolicy& policy);

}  // namespace cordon
