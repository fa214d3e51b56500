#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "common/error.h"
#include "model/seccomp_policy.h"

namespace cordon {

/// `policy` as the BPF program that the kernel loads, built by libseccomp with its optimised tree.
/// Calls of an architecture that the policy does not list get the default action, not libseccomp's
/// own KILL. A call that libseccomp has no name for is ruled by number on the host's own
/// architecture. The program is interpreted on every call's borders before it is returned: it
/// answers as Evaluate() does. Does not depend on what the running kernel offers. Fails like
/// CheckConsistent(); with kUnsupported for a call that libseccomp cannot name on a foreign
/// architecture or that it compiles to something else than the policy says, kLimit over
/// BPF_MAXINSNS (4096) or when libseccomp does not end (CompileBounded()). The caller must be
/// single-threaded.
Expected<std::vector<sock_filter>> CompileSeccomp(const SeccompPolicy& policy);

/// The program that crun 1.8 loads for `policy`: built by name in the order of the rules, calls
/// that libseccomp cannot name left out, KILL for foreign architectures. Checked like
/// CompileSeccomp()'s, but for the rules that name what libseccomp does not know. Fails like
/// CompileSeccomp().
Expected<std::vector<sock_filter>> CompileAsCrun(const SeccompPolicy& policy);

/// The program that runc 1.1 loads: crun's, and before it runc's own stub that answers ENOSYS to
/// every number above the largest that the policy names on that architecture (runc
/// libcontainer/seccomp/patchbpf), unless the default action lets calls through.
Expected<std::vector<sock_filter>> CompileAsRunc(const SeccompPolicy& policy);

/// The policy with every refusal (ERRNO) turned into NOTIFY: what `cordon run` loads so that its
/// supervisor answers and reports. The refusals of socketcall and ipc stay: as redundant rules they
/// would let libseccomp's multiplexed ways in (see Evaluate()).
SeccompPolicy NotifyingVariant(const SeccompPolicy& policy);

/// NotifyingVariant() for an audit, under which nothing is refused: what the policy kills for,
/// traps, traces or logs is a notification, too. What that leaves refused fails with EPERM:
/// socketcall and ipc where the policy refuses them, and never by a death.
SeccompPolicy AuditedVariant(const SeccompPolicy& policy);

/// `policy` with every rule for the calls in `names` turned into NOTIFY, whatever their arguments:
/// the listener decides.
SeccompPolicy AskingAbout(const SeccompPolicy& policy, const std::set<std::string>& names);

/// NotifyingVariant() of the policy for the serving phase, with `listen` a notification, too: what
/// `cordon run --serving-when` loads. Its supervisor lets through what the start alone may do until
/// the boundary, and refuses it ever after; a listen(2) may be the boundary.
SeccompPolicy TwoPhaseVariant(const SeccompPolicy& serving);

/// The policy as Docker 20.10 hands it to the runtime: defaultErrnoRet is dropped, so that an ERRNO
/// default means EPERM.
SeccompPolicy AsDocker2010Reads(const SeccompPolicy& policy);

/// What a SECCOMP_RET_* word of linux/seccomp.h means, and the word of an action.
SeccompAction ActionOfWord(std::uint32_t word);
std::uint32_t WordOfAction(const SeccompAction& action);

/// Can a policy name `name` to a runtime that uses this build's libseccomp?
bool LibseccompKnows(std::string_view name);

/// The version of the compiler that CompileSeccomp uses, e.g. "libseccomp 2.5.4": a compiled filter
/// is reused only under the same.
std::string SeccompCompilerVersion();

}  // namespace cordon
