#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/error.h"
#include "model/sandbox_config.h"
#include "model/seccomp_policy.h"

/// The folder NAME.policy/ that `generate` writes and `run` reads.
namespace cordon {

inline constexpr std::string_view kSeccompFile =
    "seccomp.json";  ///< plain profile for Docker, Podman, Kubernetes
inline constexpr std::string_view kSeccompBpfFile =
    "seccomp.bpf";  ///< the notifying variant, compiled; loaded by `run`
inline constexpr std::string_view kConfigFile = "config.json";  ///< OCI configuration
inline constexpr std::string_view kProofFile =
    "proof.json";  ///< also the marker that a folder is a bundle

/// What `run` needs of a bundle.
struct PolicyBundle {
  std::string name;  ///< from proof.json
  SandboxConfig config;
  SeccompPolicy seccomp;
  std::string seccomp_bpf;     ///< the bytes of seccomp.bpf
  std::string selinux_module;  ///< the bytes of NAME.cil
};

/// The bundle that `files` (name -> content) hold. Fails with kInvalidInput naming `folder` and the
/// part that is missing or wrong.
Expected<PolicyBundle> ParsePolicyBundle(const std::map<std::string, std::string>& files,
                                         std::string_view folder);

}  // namespace cordon
