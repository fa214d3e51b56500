// Sabotage: a generated policy without any one of the rules that it needs no longer passes the
// check, which names the call.

#include <gtest/gtest.h>
#include <linux/sched.h>
#include <sys/socket.h>

#include <algorithm>

#include "generator/seccomp_generator.h"
#include "model/policy_check.h"
#include "tests/testing/random_recording.h"
#include "tests/testing/recorded.h"

namespace cordon {
namespace {

using testing::Recorded;

/// Which of `policy`'s calls `recording` saw succeed.
bool IsSeen(const Recording& recording, const std::string& name) {
  return std::ranges::any_of(recording.syscalls, [&](const auto& entry) {
    return SyscallName(entry.first).value_or("") == name;
  });
}

struct Sabotage {
  std::size_t mutants = 0;
  std::size_t needed = 0;  ///< of them, those that took something away that was recorded
};

/// Removes each name of each rule of the policy generated from `recording`, one at a time.
Sabotage RemoveEach(const Recording& recording, const SeccompOptions& options) {
  Sabotage sabotage;
  const auto generated = GenerateSeccomp(recording, options);
  EXPECT_TRUE(generated.has_value()) << generated.error().message;
  if (!generated) {
    return sabotage;
  }
  EXPECT_TRUE(CheckRecording(generated->policy, recording).unheld.empty());
  for (std::size_t i = 0; i < generated->policy.rules.size(); ++i) {
    const SeccompRule& rule = generated->policy.rules[i];
    for (const std::string& name : rule.names) {
      SeccompPolicy mutant = generated->policy;
      std::erase(mutant.rules[i].names, name);
      ++sabotage.mutants;
      const PolicyCheck check = CheckRecording(mutant, recording);
      // Needed is an allowing rule without which some recorded call gets another answer.
      const bool allows = rule.action == SeccompAction::Allow();
      const bool is_needed =
          allows && std::ranges::any_of(RecordedCalls(recording), [&](const RecordedCall& call) {
            return Evaluate(generated->policy, call.invocation) == rule.action &&
                   SyscallName(call.invocation.call).value_or("") == name &&
                   Evaluate(mutant, call.invocation) != rule.action;
          });
      if (!is_needed) {
        continue;
      }
      ++sabotage.needed;
      EXPECT_FALSE(check.unheld.empty()) << "rule " << i << " without " << name;
      for (const UnheldCall& unheld : check.unheld) {
        EXPECT_EQ(SyscallName(unheld.call.invocation.call).value_or(""), name);
        EXPECT_NE(unheld.answer, SeccompAction::Allow());
      }
    }
  }
  return sabotage;
}

Recording Server() {
  Recorded recorded;
  recorded
      .Calls({"execve", "brk", "read", "write", "openat", "close", "newfstatat", "mprotect", "mmap",
              "epoll_wait", "epoll_ctl", "accept4", "listen", "bind", "clone3"})
      .Call("socket", {AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0})
      .Call("socket", {AF_UNIX, SOCK_DGRAM, 0})
      .Call("socket", {AF_INET6, SOCK_STREAM, 0}, EAFNOSUPPORT)
      .Call("clone", {CLONE_CHILD_SETTID | 17})
      .Call("ioctl", {0x5401}, ENOTTY)
      .Call("prctl", {15})
      .Call("personality", {0xffffffff})
      .Call("unshare", {CLONE_NEWNS})
      .NoReturn("exit_group");
  return recorded.recording();
}

TEST(PolicyMutation, EveryNeededRuleIsMissed) {
  for (const Portability portability : {Portability::kPortable, Portability::kExact}) {
    for (const OnViolation on_violation :
         {OnViolation::kErrno, OnViolation::kKill, OnViolation::kNotify}) {
      const Recording recording = Server();
      const Sabotage sabotage =
          RemoveEach(recording, {.on_violation = on_violation, .portability = portability});
      // Every recorded name is in an allowing rule of its own or with others.
      EXPECT_GE(sabotage.needed, recording.syscalls.size());
      EXPECT_GT(sabotage.mutants, 300U);
    }
  }
}

TEST(PolicyMutation, InRandomPoliciesToo) {
  std::size_t needed = 0;
  for (std::uint32_t seed = 0; seed < 6; ++seed) {
    const Recording recording = testing::RandomRecording(seed);
    if (GenerateSeccomp(recording, {})) {
      needed += RemoveEach(recording, {}).needed;
    }
  }
  EXPECT_GT(needed, 30U);
}

TEST(PolicyMutation, AStricterConditionIsMissedToo) {
  const Recording recording = Server();
  const auto generated = GenerateSeccomp(recording, {});
  ASSERT_TRUE(generated.has_value());
  std::size_t narrowed = 0;
  for (std::size_t i = 0; i < generated->policy.rules.size(); ++i) {
    const SeccompRule& rule = generated->policy.rules[i];
    if (rule.action != SeccompAction::Allow() || rule.conditions.empty() ||
        rule.names.front() != "socket") {
      continue;
    }
    SeccompPolicy mutant = generated->policy;
    mutant.rules[i].conditions.front().value ^= 1;
    ++narrowed;
    EXPECT_FALSE(CheckRecording(mutant, recording).unheld.empty()) << "rule " << i;
  }
  EXPECT_EQ(narrowed, 3U);
  EXPECT_TRUE(IsSeen(recording, "socket"));
}

}  // namespace
}  // namespace cordon
