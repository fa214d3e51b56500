#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "model/seccomp_policy.h"
#include "model/seccomp_profile_context.h"

namespace cordon {

/// Largest seccomp profile that is read.
inline constexpr std::size_t kMaxSeccompProfileBytes = std::size_t{16} << 20;

/// Whose words a profile uses. Both are the subset that Docker, Podman, runc, crun, containerd and
/// CRI-O all understand: defaultAction, defaultErrnoRet, architectures, flags,
/// syscalls[].names/action/errnoRet/args.
enum class SeccompProfileFormat : std::uint8_t {
  kDocker,  ///< with `comment` on each rule, which Docker's format has and all the others ignore
  kOci,     ///< nothing but members of linux.seccomp in runtime-spec 1.0.2
};

/// Deterministic; ends with a newline.
std::string WriteSeccompPolicy(const SeccompPolicy& policy,
                               SeccompProfileFormat format = SeccompProfileFormat::kDocker);

/// Reads that subset. A member that it does not know (`archMap`, `includes` …), an unknown action,
/// operator, architecture or syscall name is kInvalidInput with `source` and the JSON pointer: a
/// rule that would be dropped silently is worse than an error. So is a policy that does not pass
/// CheckConsistent().
Expected<SeccompPolicy> ReadSeccompPolicy(std::string_view text, std::string_view source);

/// What container engines and libseccomp do in silence.
struct ProfileNote {
  enum class Kind : std::uint8_t {
    kUnknown,       ///< an architecture or a call without a table was left out
    kConditional,   ///< a rule was left out since its conditions do not hold for the container
    kAlternatives,  ///< conditions on one argument were taken as alternatives
    kNoEffect,      ///< names were left out since an unconditional rule has taken them
  };

  Kind kind = Kind::kUnknown;
  std::string place;  ///< JSON pointer
  std::string what;
  std::string text;  ///< all of it, one sentence that names file and place
};

/// A profile as a container engine resolves it when it creates a container.
struct ResolvedProfile {
  SeccompPolicy policy;
  std::vector<std::string> places;  ///< "/syscalls/3", …: where each rule of the policy is from
  std::vector<ProfileNote> notes;   ///< each thing that was left out or decided by the context
};

/// Reads all that Docker, Podman and the OCI runtimes read: archMap, includes and excludes (caps,
/// arches, minKernel), `name`, errno and defaultErrno as words (Podman's, which win over the
/// numbers), listenerPath. As they do, it leaves out architectures and calls that it does not know,
/// takes several conditions on one argument as alternatives, which makes every condition of
/// that rule a rule of its own (runc libcontainer/seccomp matchCall; crun libcrun/seccomp.c), and
/// names that an unconditional rule has taken (RemoveSwallowedNames()); it notes each. What they
/// would refuse, or would not all read alike (CheckConsistent()), is kInvalidInput with `source`
/// and the JSON pointer.
Expected<ResolvedProfile> ReadContainerProfile(std::string_view text, std::string_view source,
                                               const ProfileContext& context);

}  // namespace cordon
