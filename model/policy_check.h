#pragma once

#include <vector>

#include "model/recorded_calls.h"
#include "model/recording.h"
#include "model/seccomp_policy.h"

namespace cordon {

/// A recorded call that a policy would not leave as it was.
struct UnheldCall {
  RecordedCall call;
  SeccompAction answer;  ///< what the policy gives
};

struct PolicyCheck {
  std::size_t calls = 0;  ///< that were asked, counting each distinct argument tuple
  std::vector<UnheldCall> unheld;
};

/// Asks `policy` about every call of `recording` (RecordedCalls(), Holds()), with clean and with
/// dirty registers.
PolicyCheck CheckRecording(const SeccompPolicy& policy, const Recording& recording);

}  // namespace cordon
