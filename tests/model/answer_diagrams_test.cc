#include "model/answer_diagrams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/model/random_policies.h"

namespace cordon {
namespace {

using Node = AnswerDiagrams::Node;

constexpr SeccompAction kAllow = SeccompAction::Allow();
constexpr SeccompAction kEperm = SeccompAction::Errno(EPERM);

CallRules RulesOf(std::vector<SeccompRule> rules, Architecture arch = Architecture::kX86_64) {
  return {{kEperm, {arch}, std::move(rules), {}},
          {arch, SyscallNumber(arch, "socket").value_or(-1)}};
}

SeccompRule Allow(std::vector<ArgumentCondition> conditions) {
  return {{"socket"}, kAllow, std::move(conditions), ""};
}

Node Must(const Expected<Node>& node) {
  EXPECT_TRUE(node.has_value()) << node.error().message;
  return node.value_or(0);
}

bool Differ(const SeccompAction& left, const SeccompAction& right) {
  return left != right;
}

TEST(AnswerDiagrams, OneFunctionHasOneNode) {
  AnswerDiagrams diagrams;
  const Node pair = Must(diagrams.Of(
      RulesOf({Allow({{0, Comparison::kEqual, 2, 0}}), Allow({{0, Comparison::kEqual, 3, 0}})})));
  EXPECT_EQ(
      pair,
      Must(diagrams.Of(RulesOf({Allow({{0, Comparison::kMaskedEqual, 2, ~std::uint64_t{1}}})}))));
  EXPECT_EQ(Must(diagrams.Of(RulesOf({Allow({{0, Comparison::kLess, 4, 0}})}))),
            Must(diagrams.Of(RulesOf({Allow({{0, Comparison::kLessOrEqual, 3, 0}})}))));
  EXPECT_EQ(Must(diagrams.Of(RulesOf({Allow({{0, Comparison::kGreaterOrEqual, 0, 0}})}))),
            Must(diagrams.Of(RulesOf({Allow({})}))));
  EXPECT_NE(pair, Must(diagrams.Of(RulesOf({Allow({{1, Comparison::kMaskedEqual, 2, ~1ULL}})}))));
}

TEST(AnswerDiagrams, FindsTheOnlyValueThatEscapes) {
  // All values of three bits but 5 are allowed.
  std::vector<SeccompRule> rules = {Allow({{0, Comparison::kGreater, 7, 0}})};
  for (std::uint64_t value = 0; value < 8; ++value) {
    if (value != 5) {
      rules.push_back(Allow({{0, Comparison::kEqual, value, 0}}));
    }
  }
  AnswerDiagrams diagrams;
  const Node function = Must(diagrams.Of(RulesOf(rules)));
  const Node all = Must(diagrams.Of(RulesOf({Allow({})})));
  const std::optional<AnswerExample> found = diagrams.Find(function, all, Differ);
  if (!found) {
    FAIL() << "nothing was found";
  }
  EXPECT_EQ(found->registers[0], 5U);
  EXPECT_EQ(found->left, kEperm);
  EXPECT_FALSE(diagrams.Constant(function).has_value());
  EXPECT_EQ(diagrams.Constant(all), kAllow);
  EXPECT_FALSE(diagrams.Find(function, function, Differ).has_value());
}

TEST(AnswerDiagrams, LooksAtNoMoreThanTheArchitectureCompares) {
  AnswerDiagrams diagrams;
  const std::vector<SeccompRule> rules = {Allow({{0, Comparison::kLess, 4, 0}})};
  const Node wide = Must(diagrams.Of(RulesOf(rules)));
  const Node narrow = Must(diagrams.Of(RulesOf(rules, Architecture::kX32)));
  EXPECT_NE(wide, narrow);
  EXPECT_THAT(diagrams.Answers(wide), ::testing::UnorderedElementsAre(kAllow, kEperm));
  EXPECT_EQ(Must(diagrams.WithoutHighHalves(wide, AnswerPreference::kMorePermissive)), narrow);
  EXPECT_EQ(
      diagrams.Constant(Must(diagrams.WithoutHighHalves(wide, AnswerPreference::kMoreRestrictive))),
      kEperm);
}

TEST(AnswerDiagrams, GivesUpOnConditionsMadeForThat) {
  // For 64 bits of each of two registers: equal pairs of bits, in an order that the diagram cannot
  // keep small.
  std::vector<SeccompRule> rules;
  for (unsigned bit = 0; bit < 64; ++bit) {
    const std::uint64_t mask = std::uint64_t{1} << bit;
    rules.push_back(Allow(
        {{0, Comparison::kMaskedEqual, mask, mask}, {1, Comparison::kMaskedEqual, mask, mask}}));
  }
  AnswerDiagrams diagrams;
  const Expected<Node> node = diagrams.Of(RulesOf(rules));
  ASSERT_FALSE(node.has_value());
  EXPECT_EQ(node.error().code, ErrorCode::kLimit);
}

/// A policy with `rules` for socket(2), where it is not multiplexed.
SeccompPolicy Written(const std::vector<AnswerDiagrams::Rule>& rules, Architecture arch) {
  SeccompPolicy written{kEperm, {arch}, {}, {}};
  for (const auto& [action, conditions] : rules) {
    written.rules.push_back({{"socket"}, action, conditions, ""});
  }
  return written;
}

/// Combines what two random policies answer to a random call, writes it as rules, and asks those.
/// Nothing where it takes too many rules.
std::optional<std::size_t> RulesOfBoth(RandomPolicies& random, AnswerPreference preference) {
  const SeccompPolicy left = random.Policy();
  const SeccompPolicy right = random.Policy();
  const SyscallInvocation call = random.Invocation(left);
  const CallRules a(left, call.call);
  const CallRules b(right, call.call);
  AnswerDiagrams diagrams;
  const Node both = Must(diagrams.Combine(Must(diagrams.Of(a)), Must(diagrams.Of(b)), preference));
  const unsigned bits = a.comparable_bits() > 0xffffffff ? 64 : 32;
  const auto rules = diagrams.Rules(both, kEperm, bits, 4096);
  if (!rules) {
    EXPECT_EQ(rules.error().code, ErrorCode::kLimit);
    return std::nullopt;
  }
  const Architecture arch = bits == 64 ? Architecture::kX86_64 : Architecture::kX32;
  const SeccompPolicy written = Written(*rules, arch);
  const Status consistent = CheckConsistent(written);
  EXPECT_TRUE(consistent.has_value()) << consistent.error().message;
  EXPECT_EQ(Evaluate(written, {{arch, SyscallNumber(arch, "socket").value_or(-1)}, call.arguments}),
            Prefer(a.Answer(call.arguments), b.Answer(call.arguments), preference));
  return rules->size();
}

TEST(AnswerDiagrams, AnswerAsTheRulesDo) {
  std::size_t rules = 0;
  std::size_t too_many = 0;
  for (std::uint32_t seed = 0; seed < 600; ++seed) {
    SCOPED_TRACE(seed);
    RandomPolicies random(seed);
    const auto made = RulesOfBoth(random, seed % 2 == 0 ? AnswerPreference::kMorePermissive
                                                        : AnswerPreference::kMoreRestrictive);
    rules += made.value_or(0);
    too_many += made ? 0 : 1;
  }
  EXPECT_GT(rules, 1000U);
  EXPECT_LT(too_many, 20U);
}

}  // namespace
}  // namespace cordon
