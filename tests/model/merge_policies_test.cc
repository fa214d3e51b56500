#include "model/merge_policies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "model/seccomp_comparison.h"
#include "model/seccomp_policy_json.h"
#include "tests/model/random_policies.h"

namespace cordon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr SeccompAction kAllow = SeccompAction::Allow();
constexpr SeccompAction kEnosys = SeccompAction::Errno(ENOSYS);
constexpr SeccompAction kEperm = SeccompAction::Errno(EPERM);

SeccompPolicy PolicyOf(std::vector<SeccompRule> rules,
                       std::vector<Architecture> architectures = {Architecture::kX86_64}) {
  return {kEnosys, std::move(architectures), std::move(rules), {}};
}

SeccompRule Allow(std::string name, std::vector<ArgumentCondition> conditions = {}) {
  return {{std::move(name)}, kAllow, std::move(conditions), ""};
}

MergedPolicy Must(const std::vector<SeccompPolicy>& policies,
                  AnswerPreference preference = AnswerPreference::kMorePermissive) {
  Expected<MergedPolicy> merged = MergePolicies(policies, preference);
  EXPECT_TRUE(merged.has_value()) << merged.error().message;
  return merged ? *std::move(merged) : MergedPolicy{};
}

std::vector<AnswerDifference> Differences(const SeccompPolicy& left, const SeccompPolicy& right,
                                          AnswerRelation relation = AnswerRelation::kDiffers) {
  Expected<std::vector<AnswerDifference>> found = FindDifferences(left, right, relation);
  EXPECT_TRUE(found.has_value()) << found.error().message;
  return found ? *std::move(found) : std::vector<AnswerDifference>{};
}

TEST(MergePolicies, AUnionAllowsWhatEitherAllows) {
  const MergedPolicy merged =
      Must({PolicyOf({Allow("read"), Allow("socket", {{0, Comparison::kEqual, 2, 0}})}),
            PolicyOf({Allow("write"), Allow("socket", {{0, Comparison::kEqual, 1, 0}})})});
  EXPECT_TRUE(
      Differences(merged.policy, PolicyOf({Allow("read"), Allow("write"),
                                           Allow("socket", {{0, Comparison::kEqual, 1, 0}}),
                                           Allow("socket", {{0, Comparison::kEqual, 2, 0}})}))
          .empty());
  EXPECT_THAT(merged.notes, IsEmpty());
}

TEST(MergePolicies, AnIntersectionAllowsWhatBothAllow) {
  const MergedPolicy merged =
      Must({PolicyOf({Allow("read"), Allow("socket", {{0, Comparison::kLess, 4, 0}})}),
            PolicyOf({Allow("write"), Allow("socket", {{0, Comparison::kGreater, 1, 0}})})},
           AnswerPreference::kMoreRestrictive);
  EXPECT_TRUE(Differences(merged.policy, PolicyOf({Allow("socket", {{0, Comparison::kMaskedEqual, 2,
                                                                     ~std::uint64_t{1}}})}))
                  .empty());
}

TEST(MergePolicies, KeepsTheKernelsOrder) {
  SeccompPolicy kill = PolicyOf({{{"mount"}, kEperm, {}, ""}, {{"umount2"}, kAllow, {}, ""}});
  kill.default_action = {SeccompActionKind::kKillProcess, 0};
  const SeccompPolicy log = PolicyOf(
      {{{"mount", "umount2"}, {SeccompActionKind::kLog, 0}, {}, ""}, {{"read"}, kEperm, {}, ""}});
  const auto ask = [](const SeccompPolicy& policy, std::string_view name) {
    return Evaluate(
        policy, {{Architecture::kX86_64, SyscallNumber(Architecture::kX86_64, name).value()}, {}});
  };
  const SeccompPolicy both = Must({kill, log}).policy;
  EXPECT_EQ(both.default_action, kEnosys);
  EXPECT_EQ(ask(both, "mount").kind, SeccompActionKind::kLog);
  EXPECT_EQ(ask(both, "umount2"), kAllow);
  EXPECT_EQ(ask(both, "read"), kEperm);
  const SeccompPolicy common = Must({kill, log}, AnswerPreference::kMoreRestrictive).policy;
  EXPECT_EQ(common.default_action.kind, SeccompActionKind::kKillProcess);
  EXPECT_EQ(ask(common, "mount"), kEperm);
  EXPECT_EQ(ask(common, "umount2").kind, SeccompActionKind::kLog);
  EXPECT_EQ(ask(common, "read").kind, SeccompActionKind::kKillProcess);
}

TEST(MergePolicies, SaysWhereRulesForAllArchitecturesAdmitMore) {
  const std::vector<Architecture> both = {Architecture::kX86_64, Architecture::kX86};
  const MergedPolicy merged = Must({PolicyOf({Allow("sync")}), PolicyOf({Allow("read")}, both)});
  EXPECT_EQ(merged.policy.architectures, both);
  EXPECT_THAT(merged.notes, ElementsAre(HasSubstr("sync on x86: ")));
  const MergedPolicy common = Must({PolicyOf({Allow("sync")}), PolicyOf({Allow("read")}, both)},
                                   AnswerPreference::kMoreRestrictive);
  EXPECT_EQ(common.policy.architectures, (std::vector{Architecture::kX86_64}));
  EXPECT_FALSE(MergePolicies({PolicyOf({}), PolicyOf({}, {Architecture::kArm})},
                             AnswerPreference::kMoreRestrictive)
                   .has_value());
}

TEST(MergePolicies, KeepsRulesForOtherArchitecturesAndComments) {
  SeccompRule portable = Allow("fstat64");
  portable.comment = "portability";
  SeccompRule read = Allow("read");
  read.comment = "seen; base set";
  SeccompRule again = Allow("read");
  again.comment = "seen";
  const MergedPolicy merged = Must({PolicyOf({portable, read}), PolicyOf({again})});
  ASSERT_EQ(merged.policy.rules.size(), 2U);
  for (const SeccompRule& rule : merged.policy.rules) {
    EXPECT_EQ(rule.comment, rule.names.front() == "read" ? "base set; seen" : "portability");
  }
}

TEST(MergePolicies, ClosesAMultiplexerThatOnlyTheRulesOpen) {
  const std::vector<Architecture> x86 = {Architecture::kX86};
  const SeccompRule closed{{"socketcall"}, SeccompAction::Errno(EACCES), {}, ""};
  const SeccompPolicy one =
      PolicyOf({closed, Allow("socket", {{0, Comparison::kEqual, 1, 0}})}, x86);
  const SeccompPolicy other = PolicyOf({closed, Allow("accept4")}, x86);
  const MergedPolicy merged = Must({one, other});
  EXPECT_EQ(merged.policy.rules.front(), closed);
  EXPECT_THAT(merged.notes, IsEmpty());
  const MergedPolicy open = Must({one, PolicyOf({Allow("socketcall")}, x86)});
  EXPECT_EQ(open.policy.rules.front(), Allow("socketcall"));
}

/// Two policies; the second often lists the same architectures.
std::pair<SeccompPolicy, SeccompPolicy> RandomPair(RandomPolicies& random) {
  std::pair<SeccompPolicy, SeccompPolicy> pair = {random.Policy(), random.Policy()};
  if (random.Below(4) != 0) {
    SeccompPolicy second = pair.second;
    second.architectures = pair.first.architectures;
    if (CheckConsistent(second)) {
      pair.second = second;
    }
  }
  return pair;
}

TEST(MergePolicies, AnswersAsThePreferredOfBoth) {
  std::size_t merged_pairs = 0;
  std::size_t exact = 0;
  for (std::uint32_t seed = 0; seed < 25; ++seed) {
    RandomPolicies random(seed);
    const auto [left, right] = RandomPair(random);
    for (const AnswerPreference preference :
         {AnswerPreference::kMorePermissive, AnswerPreference::kMoreRestrictive}) {
      const Expected<MergedPolicy> merged = MergePolicies({left, right}, preference);
      if (!merged) {
        EXPECT_THAT(
            merged.error().code,
            ::testing::AnyOf(ErrorCode::kLimit, ErrorCode::kUnsupported, ErrorCode::kInvalidInput))
            << merged.error().message;
        continue;
      }
      ++merged_pairs;
      EXPECT_TRUE(CheckConsistent(merged->policy).has_value());
      const Expected<MergedPolicy> turned = MergePolicies({right, left}, preference);
      ASSERT_TRUE(turned.has_value()) << turned.error().message;
      EXPECT_EQ(WriteSeccompPolicy(merged->policy), WriteSeccompPolicy(turned->policy))
          << "seed " << seed;
      for (const SeccompPolicy* one : {&left, &right}) {
        const bool is_union = preference == AnswerPreference::kMorePermissive;
        EXPECT_THAT(Differences(is_union ? *one : merged->policy, is_union ? merged->policy : *one,
                                AnswerRelation::kLeftIsLarger),
                    IsEmpty())
            << "seed " << seed;
      }
      for (int i = 0; i < 200; ++i) {
        const SyscallInvocation call = random.Invocation(i % 2 == 0 ? left : right);
        const std::string label =
            SyscallLabel(call.call) + " on " + std::string(Name(call.call.arch));
        if (std::ranges::any_of(merged->notes, [&](const std::string& note) {
              return note.starts_with(label + ":");
            })) {
          continue;
        }
        ++exact;
        EXPECT_EQ(Evaluate(merged->policy, call),
                  Prefer(Evaluate(left, call), Evaluate(right, call), preference))
            << "seed " << seed << ": " << label;
      }
    }
  }
  EXPECT_GT(merged_pairs, 30U);
  EXPECT_GT(exact, 4000U);
}

TEST(MergePolicies, AddsNothingToAPolicyMergedWithItself) {
  for (std::uint32_t seed = 0; seed < 25; ++seed) {
    RandomPolicies random(seed);
    const SeccompPolicy policy = random.Policy();
    for (const AnswerPreference preference :
         {AnswerPreference::kMorePermissive, AnswerPreference::kMoreRestrictive}) {
      const MergedPolicy merged = Must({policy, policy}, preference);
      EXPECT_THAT(merged.notes, IsEmpty());
      EXPECT_THAT(Differences(policy, merged.policy), IsEmpty()) << "seed " << seed;
    }
  }
}

TEST(MergePolicies, DoesNotDependOnTheGrouping) {
  std::size_t compared = 0;
  for (std::uint32_t seed = 0; seed < 25; ++seed) {
    RandomPolicies random(seed);
    auto [first, second] = RandomPair(random);
    SeccompPolicy third = random.Policy();
    third.architectures = second.architectures = first.architectures;
    if (!CheckConsistent(second) || !CheckConsistent(third)) {
      continue;
    }
    const auto preference = AnswerPreference::kMorePermissive;
    const Expected<MergedPolicy> at_once = MergePolicies({first, second, third}, preference);
    const Expected<MergedPolicy> pair = MergePolicies({second, third}, preference);
    if (!at_once || !pair || !at_once->notes.empty() || !pair->notes.empty()) {
      continue;
    }
    const Expected<MergedPolicy> stepwise = MergePolicies({first, pair->policy}, preference);
    if (!stepwise) {
      EXPECT_EQ(stepwise.error().code, ErrorCode::kLimit) << stepwise.error().message;
      continue;
    }
    EXPECT_THAT(Differences(at_once->policy, stepwise->policy), IsEmpty()) << "seed " << seed;
    ++compared;
  }
  EXPECT_GT(compared, 5U);
}

}  // namespace
}  // namespace cordon
