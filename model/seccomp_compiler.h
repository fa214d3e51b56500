#pragma once

#include <linux/filter.h>

#include <string>
#include <vector>

#include "common/error.h"
#include "model/seccomp_policy.h"

namespace cordon {

/// `policy` as the BPF program that the kernel loads, built by libseccomp with its optimised tree.
/// Calls of an architecture that the policy does not list get the default action, not libseccomp's
/// own KILL. Fails with kInvalidInput for what BPF cannot say, kLimit over BPF_MAXINSNS (4096).
Expected<std::vector<sock_filter>> CompileSeccomp(const SeccompPolicy& policy);

/// The policy with every refusal (ERRNO) turned into NOTIFY: what `cordon run` loads so that its
/// supervisor answers and reports.
SeccompPolicy NotifyingVariant(const SeccompPolicy& policy);

/// The version of the compiler that CompileSeccomp uses, e.g. "libseccomp 2.5.4": a compiled filter
/// is reused only under the same.
std::string SeccompCompilerVersion();

}  // namespace cordon
