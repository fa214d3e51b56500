#include "model/seccomp_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/model/random_policies.h"

namespace cordon {
namespace {

SeccompPolicy PolicyOf(std::vector<SeccompRule> rules) {
  return {SeccompAction::Errno(ENOSYS), {Architecture::kX86_64}, std::move(rules), {}};
}

SeccompRule Allow(std::string name, std::vector<ArgumentCondition> conditions = {}) {
  return {{std::move(name)}, SeccompAction::Allow(), std::move(conditions), ""};
}

std::vector<AnswerDifference> Differences(const SeccompPolicy& left, const SeccompPolicy& right,
                                          AnswerRelation relation = AnswerRelation::kDiffers) {
  Expected<std::vector<AnswerDifference>> found = FindDifferences(left, right, relation);
  EXPECT_TRUE(found.has_value()) << found.error().message;
  return found ? *std::move(found) : std::vector<AnswerDifference>{};
}

TEST(FindDifferences, SaysWhetherAllArgumentsDiffer) {
  const auto found = Differences(
      PolicyOf({Allow("read"), Allow("socket", {{0, Comparison::kEqual, 1, 0}})}), PolicyOf({}));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].example.call.number, 0);
  EXPECT_EQ(found[0].extent, AnswerDifference::Extent::kAllArguments);
  EXPECT_EQ(found[1].example.arguments[0], 1U);
  EXPECT_EQ(found[1].extent, AnswerDifference::Extent::kSomeArguments);
}

TEST(FindDifferences, SeesThroughDifferentWordings) {
  const SeccompPolicy two = PolicyOf({Allow("socket", {{0, Comparison::kEqual, 2, 0}}),
                                      Allow("socket", {{0, Comparison::kEqual, 3, 0}})});
  const SeccompPolicy one =
      PolicyOf({Allow("socket", {{0, Comparison::kMaskedEqual, 2, ~std::uint64_t{1}}})});
  EXPECT_TRUE(Differences(two, one).empty());
  const SeccompPolicy wide =
      PolicyOf({Allow("socket", {{0, Comparison::kMaskedEqual, 2, 0xfffffffe}})});
  const auto found = Differences(two, wide);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_GT(found[0].example.arguments[0], 0xffffffffU);
}

TEST(FindDifferences, TellsTheUnnamedCalls) {
  SeccompPolicy open = PolicyOf({});
  open.default_action = SeccompAction::Allow();
  SeccompPolicy named = PolicyOf({});
  for (const auto& [number, name] : SyscallsOf(Architecture::kX86_64)) {
    named.rules.push_back(Allow(std::string(name)));
  }
  const auto found = Differences(open, named);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_FALSE(SyscallName(found[0].example.call).has_value());
}

TEST(FindDifferences, LargerIsAboutTheActionNotTheErrno) {
  const SeccompPolicy enosys = PolicyOf({});
  SeccompPolicy eperm = PolicyOf({});
  eperm.default_action = SeccompAction::Errno(EPERM);
  EXPECT_FALSE(Differences(enosys, eperm).empty());
  EXPECT_TRUE(Differences(enosys, eperm, AnswerRelation::kLeftIsLarger).empty());
  EXPECT_TRUE(Differences(eperm, enosys, AnswerRelation::kLeftIsLarger).empty());
  SeccompPolicy kill = PolicyOf({});
  kill.default_action = {SeccompActionKind::kKillProcess, 0};
  EXPECT_TRUE(Differences(kill, enosys, AnswerRelation::kLeftIsLarger).empty());
  EXPECT_FALSE(Differences(enosys, kill, AnswerRelation::kLeftIsLarger).empty());
}

TEST(FindDifferences, NothingThatEvaluateTellsApartIsMissed) {
  std::size_t differing = 0;
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    RandomPolicies random(seed);
    const SeccompPolicy left = random.Policy();
    SeccompPolicy right = left;
    if (!right.rules.empty()) {
      right.rules.erase(right.rules.begin() +
                        static_cast<std::ptrdiff_t>(random.Below(right.rules.size())));
    }
    right.architectures = random.Policy().architectures;
    EXPECT_TRUE(Differences(left, left).empty());
    const auto found = Differences(left, right);
    for (const AnswerDifference& one : found) {
      ASSERT_NE(Evaluate(left, one.example), Evaluate(right, one.example)) << "seed " << seed;
      EXPECT_EQ(Evaluate(left, one.example), one.left);
      EXPECT_EQ(Evaluate(right, one.example), one.right);
    }
    for (int i = 0; i < 300; ++i) {
      const SyscallInvocation call = random.Invocation(i % 2 == 0 ? left : right);
      if (!SyscallName(call.call) || Evaluate(left, call) == Evaluate(right, call)) {
        continue;
      }
      ++differing;
      EXPECT_TRUE(std::ranges::any_of(
          found, [&](const AnswerDifference& one) { return one.example.call == call.call; }))
          << "seed " << seed << ": " << SyscallLabel(call.call) << " on " << Name(call.call.arch);
    }
  }
  EXPECT_GT(differing, 100U);
}

}  // namespace
}  // namespace cordon
