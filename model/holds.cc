#include "model/holds.h"

#include <algorithm>

namespace cordon {

bool Holds(const ResultCounts& results, const SeccompAction& answer) {
  if (answer.kind == SeccompActionKind::kAllow || answer.kind == SeccompActionKind::kLog) {
    return true;
  }
  return answer.kind == SeccompActionKind::kErrno && !results.empty() &&
         std::ranges::all_of(results,
                             [&](const auto& result) { return result.first == answer.data; });
}

}  // namespace cordon
