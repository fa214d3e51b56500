#include "model/combine_filters.h"

#include <linux/seccomp.h>

#include <algorithm>

#include "model/bpf_interpreter.h"

namespace cordon {
namespace {

constexpr std::uint16_t kReturn = BPF_RET | BPF_K;

bool IsReturn(const sock_filter& instruction) {
  return BPF_CLASS(instruction.code) == BPF_RET;
}

bool Allows(const sock_filter& instruction) {
  return instruction.code == kReturn &&
         (instruction.k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ALLOW;
}

bool Refuses(const sock_filter& instruction) {
  if (instruction.code != kReturn) {
    return false;
  }
  switch (instruction.k & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_KILL_PROCESS:
    case SECCOMP_RET_KILL_THREAD:
    case SECCOMP_RET_TRAP:
    case SECCOMP_RET_ERRNO:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool RefusesByItself(const std::vector<sock_filter>& program) {
  return std::ranges::all_of(program, [](const sock_filter& instruction) {
    return !IsReturn(instruction) || Allows(instruction) || Refuses(instruction);
  });
}

Expected<std::vector<sock_filter>> CombineFilters(const std::vector<sock_filter>& first,
                                                  const std::vector<sock_filter>& second) {
  if (!RefusesByItself(first)) {
    return Fail(MakeError(ErrorCode::kUnsupported,
                          "a filter that answers otherwise than by ALLOW, ERRNO, TRAP and KILL "
                          "cannot come before another"));
  }
  if (first.size() + second.size() > BPF_MAXINSNS) {
    return Fail(MakeError(ErrorCode::kLimit,
                          "both seccomp filters together have more than 4096 instructions"));
  }
  std::vector<sock_filter> combined = first;
  for (std::size_t i = 0; i < combined.size(); ++i) {
    if (Allows(combined[i])) {
      // The jump is from the next instruction; its offset has 32 bits (bpf_check_classic).
      combined[i] = BPF_JUMP(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(first.size() - i - 1),
                             std::uint8_t{0}, std::uint8_t{0});
    }
  }
  combined.insert(combined.end(), second.begin(), second.end());
  RETURN_IF_ERROR(CheckBpf(combined));
  return combined;
}

}  // namespace cordon
