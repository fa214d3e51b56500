#pragma once

#include "model/recording.h"
#include "model/seccomp_policy.h"

namespace cordon {

/// Does a call that was recorded with `results` go on working when a policy answers `answer` to it?
/// It does if the answer lets it through (ALLOW, LOG), or if the answer is an errno and every
/// recorded result is that errno. A call that never returned (exit) holds only when let through.
/// The one definition that generator, check and tests use.
bool Holds(const ResultCounts& results, const SeccompAction& answer);

}  // namespace cordon
