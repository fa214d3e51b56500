#include "runtime/base_filter.h"

#include <asm/ioctls.h>
#include <linux/sched.h>
#include <linux/seccomp.h>

#include <cerrno>
#include <cstddef>

#include "runtime/guard.h"

namespace cordon {
namespace {

constexpr std::uint16_t kLoadWord = BPF_LD | BPF_W | BPF_ABS;
constexpr std::uint16_t kJumpIfEqual = BPF_JMP | BPF_JEQ | BPF_K;
constexpr std::uint16_t kJumpIfSet = BPF_JMP | BPF_JSET | BPF_K;
constexpr std::uint16_t kReturn = BPF_RET | BPF_K;

constexpr sock_filter Allow() {
  return BPF_STMT(kReturn, SECCOMP_RET_ALLOW);
}

constexpr sock_filter Refuse(std::uint32_t error) {
  return BPF_STMT(kReturn, SECCOMP_RET_ERRNO | error);
}

/// The low half of argument `index`, in the byte order of every ABI with a row.
constexpr sock_filter LoadArgument(std::size_t index) {
  return BPF_STMT(kLoadWord,
                  static_cast<std::uint32_t>(offsetof(seccomp_data, args) + (index * 8)));
}

/// `body`, for calls with `number` only.
void OnNumber(std::vector<sock_filter>& program, std::uint32_t number,
              const std::vector<sock_filter>& body) {
  program.push_back(BPF_JUMP(kJumpIfEqual, number, 0, static_cast<std::uint8_t>(body.size())));
  program.insert(program.end(), body.begin(), body.end());
}

void AddCalls(std::vector<sock_filter>& program, const BaseFilterCalls& calls,
              UserNamespacesInside user_namespaces) {
  const std::uint32_t bit = calls.arch == Architecture::kX32 ? kX32SyscallBit : 0;
  if (Holds(Guard::kTerminal)) {
    OnNumber(program, calls.ioctl | bit,
             {LoadArgument(1), BPF_JUMP(kJumpIfEqual, TIOCSTI, 1, 0),
              BPF_JUMP(kJumpIfEqual, TIOCLINUX, 0, 1), Refuse(EPERM), Allow()});
  }
  if (user_namespaces == UserNamespacesInside::kAllowed || !Holds(Guard::kUserNamespaces)) {
    return;
  }
  for (const std::uint32_t number : {calls.clone, calls.unshare}) {
    OnNumber(program, number | bit,
             {LoadArgument(0), BPF_JUMP(kJumpIfSet, CLONE_NEWUSER, 0, 1), Refuse(EPERM), Allow()});
  }
  OnNumber(program, calls.clone3 | bit, {Refuse(ENOSYS)});
}

}  // namespace

std::vector<BaseFilterCalls> BaseFilterCallsOf(Architecture native) {
  switch (native) {
    case Architecture::kX86_64:
      return {{Architecture::kX86_64, 16, 56, 272, 435},
              {Architecture::kX32, 514, 56, 272, 435},
              {Architecture::kX86, 54, 120, 310, 435}};
    case Architecture::kAarch64:
      return {{Architecture::kAarch64, 29, 220, 97, 435}, {Architecture::kArm, 54, 120, 337, 435}};
    default:
      return {};
  }
}

std::vector<sock_filter> BaseFilter(Architecture native, UserNamespacesInside user_namespaces) {
  const std::vector<BaseFilterCalls> rows = BaseFilterCallsOf(native);
  std::vector<sock_filter> program;
  for (std::size_t i = 0; i < rows.size();) {
    const std::uint32_t audit_arch = AuditArch(rows[i].arch);
    std::vector<sock_filter> body{BPF_STMT(kLoadWord, offsetof(seccomp_data, nr))};
    // x86_64 and x32 are one to the kernel, but for a bit of the number.
    for (; i < rows.size() && AuditArch(rows[i].arch) == audit_arch; ++i) {
      AddCalls(body, rows[i], user_namespaces);
    }
    body.push_back(Allow());
    program.push_back(BPF_STMT(kLoadWord, offsetof(seccomp_data, arch)));
    OnNumber(program, audit_arch, body);
  }
  if (!program.empty()) {
    program.push_back(Refuse(ENOSYS));
  }
  return program;
}

}  // namespace cordon
