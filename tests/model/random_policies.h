#pragma once

#include <array>
#include <cerrno>
#include <random>
#include <span>
#include <string>

#include "model/seccomp_policy.h"

namespace cordon {

/// Policies and calls that depend on the seed only.
class RandomPolicies {
 public:
  explicit RandomPolicies(std::uint32_t seed) : random_(seed) {}

  std::size_t Below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }

  template <typename Container>
  auto Pick(const Container& from) {
    return from[Below(from.size())];
  }

  std::uint64_t Value() {
    static constexpr std::array<std::uint64_t, 16> kValues = {
        0,          1,      2,          3,          4,          16,          17,
        31,         0x5412, 0x7e020000, 0xffffffff, 0xfffffffe, 0x100000000, std::uint64_t{3} << 32,
        1ULL << 63, ~0ULL};
    return Pick(kValues);
  }

  ArgumentCondition Condition(unsigned index) {
    static constexpr std::array kComparisons = {
        Comparison::kEqual,       Comparison::kNotEqual,   Comparison::kLess,
        Comparison::kLessOrEqual, Comparison::kGreater,    Comparison::kGreaterOrEqual,
        Comparison::kMaskedEqual, Comparison::kMaskedEqual};
    ArgumentCondition condition{index, Pick(kComparisons), Value(), 0};
    if (condition.comparison == Comparison::kMaskedEqual) {
      condition.mask = Value() | 1;
      condition.value &= condition.mask;
    }
    return condition;
  }

  SeccompRule Rule() {
    static constexpr std::array<std::string_view, 14> kNames = {
        "read",        "socket", "socketcall", "ipc",  "semop", "accept", "clone",
        "personality", "openat", "waitpid",    "send", "ioctl", "mmap2",  "execve"};
    static constexpr std::array kActions = {SeccompAction::Allow(),
                                            SeccompAction::Allow(),
                                            SeccompAction::Errno(EPERM),
                                            SeccompAction::Errno(ENOSYS),
                                            SeccompAction{SeccompActionKind::kLog, 0},
                                            SeccompAction{SeccompActionKind::kKillProcess, 0},
                                            SeccompAction::Notify()};
    SeccompRule rule;
    for (std::size_t i = 0; i <= Below(2); ++i) {
      rule.names.emplace_back(Pick(kNames));
    }
    rule.action = Pick(kActions);
    for (unsigned index = 0; index < 3; ++index) {
      if (Below(3) == 0) {
        rule.conditions.push_back(Condition(index));
      }
    }
    return rule;
  }

  /// A policy that passes CheckConsistent(): rules that would not are left out.
  SeccompPolicy Policy() {
    static constexpr std::array kArchitectures = {Architecture::kX86_64, Architecture::kX86,
                                                  Architecture::kX32,    Architecture::kAarch64,
                                                  Architecture::kArm,    Architecture::kRiscv64,
                                                  Architecture::kPpc64le};
    SeccompPolicy policy;
    policy.default_action = Below(2) == 0   ? SeccompAction::Errno(ENOSYS)
                            : Below(2) == 0 ? SeccompAction::Errno(EPERM)
                                            : SeccompAction::Notify();
    if (Below(10) == 0) {
      policy.architectures = {Architecture::kS390x};  // libseccomp mixes no byte orders
    }
    for (const Architecture arch : policy.architectures.empty() ? std::span(kArchitectures)
                                                                : std::span<const Architecture>()) {
      if (Below(4) == 0 || arch == Architecture::kX86_64) {
        policy.architectures.push_back(arch);
      }
    }
    for (std::size_t i = 0; i < 12; ++i) {
      policy.rules.push_back(Rule());
      if (!CheckConsistent(policy)) {
        policy.rules.pop_back();
      }
    }
    return policy;
  }

  SyscallInvocation Invocation(const SeccompPolicy& policy) {
    const Architecture arch = Pick(policy.architectures);
    SyscallInvocation call{{arch, -1}, {}};
    const std::string name = policy.rules.empty() ? "read" : Pick(Pick(policy.rules).names);
    call.call.number = Below(8) == 0 ? static_cast<std::int32_t>(Below(600))
                                     : SyscallNumber(arch, name).value_or(-1);
    for (std::uint64_t& argument : call.arguments) {
      argument = Below(4) == 0 ? Below(25) : Value() + (Below(8) == 0 ? Below(3) - 1 : 0);
    }
    return call;
  }

 private:
  std::mt19937 random_;
};

}  // namespace cordon
