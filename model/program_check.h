#pragma once

#include <linux/filter.h>

#include <vector>

#include "common/error.h"
#include "model/seccomp_policy.h"

namespace cordon {

/// Does `program` answer as Evaluate() does to every call that `policy`'s architectures have, with
/// registers on every side of the conditions? Fails with kUnsupported, naming the first call that
/// gets another answer.
Status CheckProgram(const SeccompPolicy& policy, const std::vector<sock_filter>& program);

}  // namespace cordon
