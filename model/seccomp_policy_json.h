#pragma once

#include <string>
#include <string_view>

#include "common/error.h"
#include "model/seccomp_policy.h"

namespace cordon {

/// Largest seccomp profile that is read.
inline constexpr std::size_t kMaxSeccompProfileBytes = std::size_t{16} << 20;

/// The subset that Docker, Podman, runc, crun, containerd and CRI-O all understand: defaultAction,
/// defaultErrnoRet, architectures, syscalls[].names/action/errnoRet/args, plus `comment`, which all
/// of them ignore. Deterministic; ends with a newline.
std::string WriteSeccompPolicy(const SeccompPolicy& policy);

/// Reads that subset. A member that it does not know (`archMap`, `includes` …), an unknown action,
/// operator, architecture or syscall name is kInvalidInput with `source` and the JSON pointer: a
/// rule that would be dropped silently is worse than an error.
Expected<SeccompPolicy> ReadSeccompPolicy(std::string_view text, std::string_view source);

}  // namespace cordon
