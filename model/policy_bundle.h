#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/error.h"
#include "model/policy_proof.h"
#include "model/sandbox_config.h"
#include "model/seccomp_policy.h"

/// The folder NAME.policy/ that `generate` writes and `run` reads.
namespace cordon {

inline constexpr std::string_view kSeccompFile =
    "seccomp.json";  ///< plain profile for Docker, Podman, Kubernetes
inline constexpr std::string_view kSeccompBpfFile =
    "seccomp.bpf";  ///< the notifying variant, compiled (model/compiled_filter.h)
inline constexpr std::string_view kServingFile =
    "seccomp-serve.json";  ///< the part of seccomp.json that is left after the boundary
inline constexpr std::string_view kServingBpfFile =
    "seccomp-serve.bpf";  ///< TwoPhaseVariant() of it, compiled
inline constexpr std::string_view kConfigFile = "config.json";  ///< OCI configuration
inline constexpr std::string_view kWhyFile = "why.json";        ///< the reason of every rule
/// The types of containers' files, beside the module of a policy for containers where the SELinux
/// policy that it is for has none.
inline constexpr std::string_view kContainerTypesFile = "cordon_container.cil";
inline constexpr std::string_view kProofFile =
    "proof.json";  ///< also the marker that a folder is a bundle

/// What a bundle has where its recordings tell the start from serving.
struct ServingPart {
  std::set<std::string> when;  ///< what marked the boundary while it was recorded: "listen", …
  std::string seccomp_json;    ///< the bytes of seccomp-serve.json
  std::string seccomp_source;  ///< its path, for messages
  std::string seccomp_bpf;     ///< the bytes of seccomp-serve.bpf
};

/// What `run` needs of a bundle.
struct PolicyBundle {
  std::string name;          ///< from proof.json
  SandboxConfig config;      ///< without its seccomp part: that is seccomp_json
  std::string seccomp_json;  ///< the bytes of seccomp.json: what seccomp.bpf carries the digest of
  std::string seccomp_source;  ///< its path, for messages
  std::string seccomp_bpf;     ///< the bytes of seccomp.bpf
  std::string selinux_module;  ///< the bytes of the bundle's *.cil
  std::optional<ServingPart> serving;
};

/// The bundle that `files` (name -> content) hold. Fails with kInvalidInput naming `folder` and the
/// part that is missing or wrong; a seccomp.bpf that is merely stale is for the launcher to see.
Expected<PolicyBundle> ParsePolicyBundle(const std::map<std::string, std::string>& files,
                                         std::string_view folder);

/// The policy that seccomp_json is. Apart from the rest because it takes longer than all of it, and
/// a launch with a seccomp.bpf that fits needs it only to answer the first refused call.
Expected<SeccompPolicy> ReadSeccompOf(const PolicyBundle& bundle);
Expected<SeccompPolicy> ReadSeccompOf(const ServingPart& serving);

}  // namespace cordon
