#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/error.h"
#include "model/seccomp_policy.h"

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

}  // namespace cordon
