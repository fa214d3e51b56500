#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "model/syscall.h"

namespace cordon {

/// What a filter answers (seccomp(2)).
enum class SeccompActionKind : std::uint8_t {
  kAllow,
  kLog,
  kTrace,
  kNotify,
  kErrno,
  kTrap,
  kKillThread,
  kKillProcess
};

struct SeccompAction {
  SeccompActionKind kind = SeccompActionKind::kAllow;
  std::uint16_t data = 0;  ///< the errno of kErrno, the message of kTrace; 0 otherwise

  static constexpr SeccompAction Allow() { return {SeccompActionKind::kAllow, 0}; }

  static constexpr SeccompAction Errno(std::uint16_t value) {
    return {SeccompActionKind::kErrno, value};
  }

  static constexpr SeccompAction Notify() { return {SeccompActionKind::kNotify, 0}; }

  auto operator<=>(const SeccompAction&) const = default;
};

/// Comparison of one 64-bit register with constants, as SCMP_CMP_*.
enum class Comparison : std::uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kMaskedEqual
};

/// One condition on one register argument.
struct ArgumentCondition {
  unsigned index = 0;  ///< 0..5
  Comparison comparison = Comparison::kEqual;
  std::uint64_t value = 0;  ///< for kMaskedEqual: compared with (register & mask)
  std::uint64_t mask = 0;   ///< kMaskedEqual only

  auto operator<=>(const ArgumentCondition&) const = default;
};

/// `action` for each of `names` when all `conditions` hold. Two conditions never name the same
/// index: runc, crun and Podman would read them as alternatives (docs/decisions).
struct SeccompRule {
  std::vector<std::string> names;  ///< as in policies/syscalls.csv, or "syscall_N" never: unnamed
                                   ///< calls cannot be said in a profile
  SeccompAction action;
  std::vector<ArgumentCondition> conditions;
  std::string comment;  ///< why this rule is here; not part of the meaning
  bool operator==(const SeccompRule&) const = default;
};

struct SeccompPolicy {
  SeccompAction default_action;
  std::vector<Architecture>
      architectures;  ///< calls of any other architecture get the default action
  std::vector<SeccompRule> rules;
  std::set<std::string> flags;  ///< "SECCOMP_FILTER_FLAG_LOG", …
  bool operator==(const SeccompPolicy&) const = default;
};

/// What `policy` answers to `invocation`: the reference semantics that BPF and kernel are tested
/// against. A rule names a call on every architecture of the policy that has it. Of several rules
/// that match, the most restrictive action wins, in the kernel's order KILL_PROCESS > KILL_THREAD >
/// TRAP > ERRNO > NOTIFY > TRACE > LOG > ALLOW, between two errnos the first rule's; so a policy
/// whose rules overlap with different actions does not mean more than it says. Policies from
/// CheckConsistent() have no such overlap.
SeccompAction Evaluate(const SeccompPolicy& policy, const SyscallInvocation& invocation);

/// The position of `kind` in the kernel's order of restrictiveness; greater is more restrictive.
int Restrictiveness(SeccompActionKind kind);

}  // namespace cordon
