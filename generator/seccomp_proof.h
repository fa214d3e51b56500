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

}  // namespace cordon
