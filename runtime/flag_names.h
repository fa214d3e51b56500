#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/syscall.h"
#include "model/syscall_signature.h"

namespace cordon {

/// What strace(1) would write for argument `index` of a call that is a set of flags or one of a few
/// named values: "O_RDONLY|O_CLOEXEC", "PROT_READ|PROT_EXEC", "AF_INET", "PR_SET_NAME"; bits
/// without a name follow in hexadecimal. Nothing for an argument whose names are not known here.
std::optional<std::string> NamedArgument(const SyscallInvocation& invocation,
                                         const SyscallSignature& signature, std::size_t index);

}  // namespace cordon
