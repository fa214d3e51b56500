#pragma once

#include <string>
#include <vector>

#include "model/recording.h"

namespace cordon {

/// What `left` saw and `right` did not, one line for each behaviour, in the order of a recording:
/// calls with their arguments and results ("socket(0x2, 0x1, 0x0) on x86_64: ok"), files with
/// class, accesses and failures, uses of sockets, programs, capabilities. How often, when and by
/// whom something was done does not matter. Arguments that `right` keeps only as ranges
/// (SyscallObservation::overflow) are known to it when they lie in them. So nothing is missing from
/// a recording that `left` was merged into.
std::vector<std::string> MissingBehaviours(const Recording& left, const Recording& right);

}  // namespace cordon
