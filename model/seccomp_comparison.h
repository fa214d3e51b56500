#pragma once

#include <vector>

#include "common/error.h"
#include "model/seccomp_policy.h"

namespace cordon {

/// A call that two policies answer differently, with arguments for which they do.
struct AnswerDifference {
  enum class Extent : std::uint8_t { kSomeArguments, kAllArguments };

  SyscallInvocation example;
  SeccompAction left;
  SeccompAction right;
  Extent extent = Extent::kSomeArguments;  ///< for which arguments they answer so
};

/// What counts as a difference.
enum class AnswerRelation : std::uint8_t {
  kDiffers,       ///< any other action or errno
  kLeftIsLarger,  ///< the left policy's action is the more permissive (Restrictiveness())
};

/// Every call, of every architecture that `left` or `right` lists, for which `relation` holds for
/// some arguments: one difference each, by architecture and number; last, for each architecture,
/// the calls that have no name yet, as the lowest number that has none. Decided for all arguments
/// (AnswerDiagrams), not sampled: nothing is missed. Fails with kLimit where the conditions of a
/// call are too many to tell apart.
Expected<std::vector<AnswerDifference>> FindDifferences(const SeccompPolicy& left,
                                                        const SeccompPolicy& right,
                                                        AnswerRelation relation);

}  // namespace cordon
