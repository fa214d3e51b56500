#pragma once

#include "common/error.h"
#include "model/attack_surface.h"
#include "model/seccomp_policy.h"

namespace cordon {

/// What `policy` leaves open, all but the cost of its filter; exact, arguments included. Docker's
/// default profile is policies/docker_default.json, read as its engine does for a container with
/// the default capabilities on the policy's architecture and on Linux 6.1, whatever runs here; for
/// a 32-bit ABI, as the engine of the 64-bit one that has it. Fails with kLimit like
/// FindDifferences().
Expected<AttackSurface> MeasureAttackSurface(const SeccompPolicy& policy);

}  // namespace cordon
