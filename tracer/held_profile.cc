#include "tracer/held_profile.h"

#include <linux/seccomp.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "model/syscall_signature.h"
#include "tracer/trace_filter.h"

namespace cordon {
namespace {

constexpr std::uint32_t kMaxErrno = 4095;  // more than that counts as that (kernel/seccomp.c)

bool MakesListener(const SyscallInvocation& invocation) {
  return SignatureOf(invocation.call).effect == SyscallEffect::kSeccomp &&
         (invocation.arguments[0] & 0xffffffff) == SECCOMP_SET_MODE_FILTER &&
         (invocation.arguments[1] & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0;
}

}  // namespace

std::optional<HeldProfile> HeldProfile::Of(std::vector<sock_filter> program) {
  Expected<BpfInterpreter> profile = BpfInterpreter::Create(program);
  if (!profile.has_value()) {
    return std::nullopt;
  }
  for (sock_filter& instruction : program) {
    if (BPF_CLASS(instruction.code) != BPF_RET) {
      continue;
    }
    const std::uint32_t action = instruction.k & SECCOMP_RET_ACTION_FULL;
    const bool is_known = action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_ERRNO ||
                          action == SECCOMP_RET_KILL_PROCESS || action == SECCOMP_RET_KILL_THREAD;
    if (BPF_RVAL(instruction.code) != BPF_K || !is_known) {
      return std::nullopt;
    }
    if (action == SECCOMP_RET_ERRNO && (instruction.k & SECCOMP_RET_DATA) == 0) {
      return std::nullopt;  // not made, and yet no error
    }
    if (action == SECCOMP_RET_ERRNO) {
      instruction.k = SECCOMP_RET_TRACE | kTraceFilterTag;
    }
  }
  return HeldProfile(*std::move(profile), std::move(program));
}

int HeldProfile::RefusalOf(const SyscallInvocation& invocation) const {
  const std::uint32_t answer = profile_.Run(invocation);
  if ((answer & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO) {
    return static_cast<int>(std::min(answer & SECCOMP_RET_DATA, kMaxErrno));
  }
  return MakesListener(invocation) ? EBUSY : 0;
}

}  // namespace cordon
