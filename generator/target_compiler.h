#pragma once

#include "common/error.h"
#include "generator/cil_module.h"
#include "generator/selinux_check.h"
#include "generator/selinux_target.h"

namespace cordon {

/// `ours` and the policy of `target` as one, neverallow rules on where the target has any. The
/// slice of the target does it where it speaks for `ours`: the result is then good for questions
/// about the types of `ours` only (PolicySlice). What the slice refuses is compiled with the whole
/// policy, whose words the error has; `target` is unpacked for that. A compile with the whole
/// policy keeps its slice in the PolicyCache if the target has a key for it. Fails as
/// CompileSelinux() does.
Expected<CompiledSelinux> CompileForTarget(SelinuxTarget* target, const CilModule& ours);

}  // namespace cordon
