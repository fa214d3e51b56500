#pragma once

#include <linux/filter.h>

#include <vector>

#include "common/error.h"

namespace cordon {

/// Can `program` be the first of CombineFilters(): does every return of it either allow, or answer
/// ERRNO, TRAP or KILL, which nothing that a second filter says can undo (seccomp(2))?
bool RefusesByItself(const std::vector<sock_filter>& program);

/// One program that lets a call through where both let it: what `first` refuses is refused as it
/// says, what it allows is for `second` to answer. That is what the kernel makes of the two loaded
/// one after the other, but that a refusal of `first` stands where `second` would have killed; and
/// nothing has to be admitted for the second to be loaded. Fails with kUnsupported where `first`
/// does not refuse by itself, kLimit where both are more than the kernel takes (BPF_MAXINSNS,
/// 4096).
Expected<std::vector<sock_filter>> CombineFilters(const std::vector<sock_filter>& first,
                                                  const std::vector<sock_filter>& second);

}  // namespace cordon
