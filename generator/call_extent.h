#pragma once

#include <cstdint>

#include "common/error.h"
#include "model/seccomp_policy.h"

namespace cordon {

/// For which arguments a policy admits a call.
enum class CallExtent : std::uint8_t { kNever, kSometimes, kAlways };

/// For which arguments `policy` admits `call` (ALLOW, LOG). Decided for all of them. Fails with
/// kLimit like FindDifferences().
Expected<CallExtent> AdmittedExtent(const SeccompPolicy& policy, Syscall call);

/// Docker's default profile (policies/docker_default.json), read as its engine does for a container
/// of `arch` with the default capabilities on Linux 6.1, whatever runs here; for a 32-bit ABI, as
/// the engine of the 64-bit one that has it.
Expected<SeccompPolicy> DockersDefault(Architecture arch);

}  // namespace cordon
