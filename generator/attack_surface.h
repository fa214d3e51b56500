#pragma once

#include "common/error.h"
#include "model/attack_surface.h"
#include "model/seccomp_policy.h"

namespace cordon {

/// What `policy` leaves open, all but the cost of its filter; exact, arguments included. Docker's
/// default profile is DockersDefault(). Fails with kLimit like FindDifferences().
Expected<AttackSurface> MeasureAttackSurface(const SeccompPolicy& policy);

}  // namespace cordon
