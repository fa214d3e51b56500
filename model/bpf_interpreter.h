#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <span>

#include "common/error.h"
#include "model/syscall.h"

namespace cordon {

/// The 32-bit SECCOMP_RET_* word that `program` returns for `invocation`, as the kernel would run
/// it (seccomp(2): the classic BPF subset on struct seccomp_data; the instruction pointer is 0).
/// Fails with kInvalidInput for an instruction, jump or load that the kernel's checker
/// (kernel/seccomp.c seccomp_check_filter, net/core/filter.c bpf_check_classic) would refuse.
Expected<std::uint32_t> InterpretBpf(std::span<const sock_filter> program,
                                     const SyscallInvocation& invocation);

}  // namespace cordon
