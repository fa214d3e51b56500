#include "model/seccomp_policy.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <vector>

namespace cordon {
namespace {

constexpr SeccompAction kAllow = SeccompAction::Allow();
constexpr SeccompAction kEperm = SeccompAction::Errno(EPERM);
constexpr SeccompAction kEnosys = SeccompAction::Errno(ENOSYS);

SeccompPolicy PolicyOf(std::vector<SeccompRule> rules, Architecture arch = Architecture::kX86_64) {
  return {kEnosys, {arch}, std::move(rules), {}};
}

SeccompAction Ask(const SeccompPolicy& policy, std::string_view name,
                  std::array<std::uint64_t, 6> arguments = {}) {
  const Architecture arch = policy.architectures.front();
  return Evaluate(policy, {{arch, SyscallNumber(arch, name).value_or(-1)}, arguments});
}

TEST(Evaluate, AnswersByNameConditionAndDefault) {
  const SeccompPolicy policy =
      PolicyOf({{{"read", "write"}, kAllow, {}, ""},
                {{"personality"}, kAllow, {{0, Comparison::kEqual, 8, 0}}, ""},
                {{"mount"}, kEperm, {}, ""}});
  EXPECT_EQ(Ask(policy, "write"), kAllow);
  EXPECT_EQ(Ask(policy, "personality", {8}), kAllow);
  EXPECT_EQ(Ask(policy, "personality", {9}), kEnosys);
  EXPECT_EQ(Ask(policy, "mount"), kEperm);
  EXPECT_EQ(Ask(policy, "close"), kEnosys);
  EXPECT_EQ(Evaluate(policy, {{Architecture::kX86, 3}, {}}), kEnosys);
  EXPECT_EQ(Evaluate(policy, {{Architecture::kX86_64, -1}, {}}), kEnosys);
  EXPECT_EQ(Evaluate(policy, {{Architecture::kX86_64, 9999}, {}}), kEnosys);
}

TEST(Evaluate, ComparesLikeTheOperators) {
  const auto holds = [](Comparison comparison, std::uint64_t value, std::uint64_t mask,
                        std::uint64_t argument) {
    return Ask(PolicyOf({{{"read"}, kAllow, {{2, comparison, value, mask}}, ""}}), "read",
               {0, 0, argument}) == kAllow;
  };
  EXPECT_TRUE(holds(Comparison::kEqual, 5, 0, 5));
  EXPECT_FALSE(holds(Comparison::kEqual, 5, 0, 5 | (1ULL << 32)));
  EXPECT_TRUE(holds(Comparison::kNotEqual, 5, 0, 6));
  EXPECT_FALSE(holds(Comparison::kNotEqual, 5, 0, 5));
  EXPECT_TRUE(holds(Comparison::kLess, 5, 0, 4));
  EXPECT_FALSE(holds(Comparison::kLess, 5, 0, 5));
  EXPECT_TRUE(holds(Comparison::kLessOrEqual, 5, 0, 5));
  EXPECT_FALSE(holds(Comparison::kLessOrEqual, 5, 0, 6));
  EXPECT_TRUE(holds(Comparison::kGreater, 5, 0, ~0ULL));
  EXPECT_FALSE(holds(Comparison::kGreater, 5, 0, 5));
  EXPECT_TRUE(holds(Comparison::kGreaterOrEqual, 5, 0, 5));
  EXPECT_FALSE(holds(Comparison::kGreaterOrEqual, 5, 0, 4));
  EXPECT_TRUE(holds(Comparison::kMaskedEqual, 4, 0xc, 0x77));
  EXPECT_FALSE(holds(Comparison::kMaskedEqual, 4, 0xc, 0x78));
}

TEST(Evaluate, AllConditionsOfARuleMustHold) {
  const SeccompPolicy policy =
      PolicyOf({{{"socket"},
                 kAllow,
                 {{0, Comparison::kEqual, 2, 0}, {1, Comparison::kMaskedEqual, 1, 0xf}},
                 ""}});
  EXPECT_EQ(Ask(policy, "socket", {2, 0x80001}), kAllow);
  EXPECT_EQ(Ask(policy, "socket", {2, 3}), kEnosys);
  EXPECT_EQ(Ask(policy, "socket", {10, 1}), kEnosys);
}

TEST(Evaluate, TakesTheMostRestrictiveOfSeveralAnswers) {
  const SeccompPolicy policy = PolicyOf({{{"read"}, kEperm, {}, ""}, {{"read"}, kAllow, {}, ""}});
  EXPECT_EQ(Ask(policy, "read"), kEperm);
}

TEST(CheckConsistent, AcceptsWhatMeansOneThing) {
  EXPECT_TRUE(CheckConsistent(PolicyOf({{{"read"}, kAllow, {}, ""}, {{"read"}, kAllow, {}, ""}})));
  EXPECT_TRUE(
      CheckConsistent(PolicyOf({{{"socket"}, kAllow, {{0, Comparison::kEqual, 2, 0}}, ""},
                                {{"socket"}, kEperm, {{0, Comparison::kGreater, 2, 0}}, ""}})));
  // A rule that says what the default says anyway is no rule to any runtime.
  EXPECT_TRUE(CheckConsistent(PolicyOf({{{"read"}, kAllow, {}, ""}, {{"read"}, kEnosys, {}, ""}})));
}

struct Inconsistent {
  const char* what;
  std::vector<SeccompRule> rules;
};

TEST(CheckConsistent, RefusesWhatDependsOnTheRuntime) {
  const std::vector<Inconsistent> cases = {
      {"two unconditional answers", {{{"read"}, kAllow, {}, ""}, {{"read"}, kEperm, {}, ""}}},
      {"an exception",
       {{{"socket"}, kAllow, {}, ""}, {{"socket"}, kEperm, {{0, Comparison::kEqual, 38, 0}}, ""}}},
      {"an overlap",
       {{{"socket"}, kAllow, {{0, Comparison::kEqual, 2, 0}}, ""},
        {{"socket"}, kEperm, {{1, Comparison::kEqual, 3, 0}}, ""}}},
      {"two conditions on one argument",
       {{{"socket"}, kAllow, {{0, Comparison::kGreater, 1, 0}, {0, Comparison::kLess, 5, 0}}, ""}}},
      {"an argument that no call has", {{{"socket"}, kAllow, {{6, Comparison::kEqual, 1, 0}}, ""}}},
      {"a comparison that never holds",
       {{{"socket"}, kAllow, {{0, Comparison::kMaskedEqual, 3, 2}}, ""}}},
      {"no call", {{{"frobnicate"}, kAllow, {}, ""}}},
  };
  for (const Inconsistent& one : cases) {
    const Status status = CheckConsistent(PolicyOf(one.rules));
    ASSERT_FALSE(status.has_value()) << one.what;
    EXPECT_EQ(status.error().code, ErrorCode::kInvalidInput) << one.what;
    EXPECT_NE(status.error().message.find("rule"), std::string::npos) << status.error().message;
  }
  EXPECT_FALSE(CheckConsistent({kEnosys, {}, {}, {}}));
}

TEST(CheckConsistent, KnowsTheMultiplexedWays) {
  const SeccompRule inet{{"socket"}, kAllow, {{0, Comparison::kEqual, 2, 0}}, ""};
  const SeccompRule vsock{{"socket"}, kEperm, {{0, Comparison::kEqual, 40, 0}}, ""};
  const SeccompRule socketcall{{"socketcall"}, SeccompAction::Errno(EACCES), {}, ""};
  EXPECT_TRUE(CheckConsistent(PolicyOf({inet, vsock}, Architecture::kX86_64)));
  // Both become socketcall(SYS_SOCKET, …) on i386, where the family cannot be seen: libseccomp
  // refuses the second.
  EXPECT_FALSE(CheckConsistent(PolicyOf({inet, vsock}, Architecture::kX86)));
  EXPECT_FALSE(CheckConsistent(PolicyOf({inet, vsock, socketcall}, Architecture::kX86)));
  EXPECT_TRUE(CheckConsistent(PolicyOf({socketcall, inet, vsock}, Architecture::kX86)));
}

TEST(CanBothHold, NeverMissesAValueThatSatisfiesBoth) {
  std::vector<ArgumentCondition> conditions;
  for (std::uint64_t value = 0; value < 6; ++value) {
    for (const Comparison comparison :
         {Comparison::kEqual, Comparison::kNotEqual, Comparison::kLess, Comparison::kLessOrEqual,
          Comparison::kGreater, Comparison::kGreaterOrEqual}) {
      conditions.push_back({0, comparison, value, 0});
    }
    for (std::uint64_t mask = 0; mask < 6; ++mask) {
      if ((value & ~mask) == 0) {
        conditions.push_back({0, Comparison::kMaskedEqual, value, mask});
      }
    }
  }
  std::size_t exclusive = 0;
  for (const ArgumentCondition& left : conditions) {
    for (const ArgumentCondition& right : conditions) {
      exclusive += CanBothHold(left, right) ? 0 : 1;
      EXPECT_EQ(CanBothHold(left, right), CanBothHold(right, left));
      for (std::uint64_t argument = 0; argument < 16; ++argument) {
        const bool both =
            Ask(PolicyOf({{{"read"}, kAllow, {left}, ""}}), "read", {argument}) == kAllow &&
            Ask(PolicyOf({{{"read"}, kAllow, {right}, ""}}), "read", {argument}) == kAllow;
        ASSERT_TRUE(!both || CanBothHold(left, right)) << argument;
      }
    }
  }
  EXPECT_GT(exclusive, 300U);
}

}  // namespace
}  // namespace cordon
