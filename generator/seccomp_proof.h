#pragma once

#include "common/error.h"
#include "generator/seccomp_generator.h"
#include "model/policy_proof.h"
#include "model/recording.h"

namespace cordon {

/// Compiles `generated.policy` as each of its consumers would, and interprets every program for
/// every recorded call, each distinct argument tuple with clean and with dirty high register
/// halves: cordon's plain and notifying variant always; runc's and crun's filter, and runc's under
/// Docker 20.10, unless `runtime` is kCordon. Fails with kInternal, naming the first recorded call
/// that would not hold, the program and what it answers; with kUnsupported where a program cannot
/// be made or a recorded call cannot be named to the runtime.
Expected<SeccompProof> ProveSeccomp(const Recording& recording, const GeneratedSeccomp& generated,
                                    ContainerRuntime runtime);

/// Proves `serving`, the policy for what is left of `whole` after the boundary: that it admits
/// nothing which `whole` does not; that its TwoPhaseVariant(), with the supervisor's answers by
/// `whole` until the boundary and by `serving` from then on, holds for every call of `recording` in
/// the start, and in the serving phase for every call of `serving_calls` (SliceServing()). Fails
/// like ProveSeccomp().
Expected<ServingProof> ProveServing(const Recording& recording, const Recording& serving_calls,
                                    const SeccompPolicy& whole, const SeccompPolicy& serving);

}  // namespace cordon
