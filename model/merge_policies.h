#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "model/answer_diagrams.h"
#include "model/seccomp_policy.h"

namespace cordon {

struct MergedPolicy {
  SeccompPolicy policy;
  /// One sentence for each call that a profile cannot answer exactly as the merged policies
  /// together do.
  std::vector<std::string> notes;
};

/// The policy that answers every call as the one of `policies` does that answers it most
/// permissively (their union) or most restrictively (their intersection), for all arguments:
/// decided by AnswerDiagrams. The result does not depend on the order of `policies`, to the byte;
/// merging a policy with itself changes no answer; of the comments those stay whose rules do.
///
/// A profile's rules name calls of all its architectures at once, so where the policies do not list
/// the same ones, or compare whole registers, some answers have no words. Then the result errs to
/// the side of `preference`: a union answers nothing more restrictively than any of `policies`, an
/// intersection nothing more permissively, in the kernel's order of actions; each such call has a
/// note.
///
/// Each of `policies`, of which there is at least one, must pass CheckConsistent(), and so does the
/// result. Fails with kInvalidInput for an intersection of policies that have no architecture in
/// common, with kLimit where the conditions of a call are too many, with kUnsupported where no
/// profile errs to that side.
Expected<MergedPolicy> MergePolicies(const std::vector<SeccompPolicy>& policies,
                                     AnswerPreference preference);

}  // namespace cordon
