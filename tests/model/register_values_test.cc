#include "model/register_values.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "tests/model/random_policies.h"

namespace cordon {
namespace {

constexpr std::uint64_t kAllBits = ~std::uint64_t{0};

/// How each of `conditions` comes out for `value`, asked of Evaluate().
std::vector<bool> Outcome(const std::vector<ArgumentCondition>& conditions, std::uint64_t value) {
  std::vector<bool> outcome;
  for (const ArgumentCondition& condition : conditions) {
    const SeccompPolicy policy{SeccompAction::Errno(1),
                               {Architecture::kX86_64},
                               {{{"read"}, SeccompAction::Allow(), {condition}, ""}},
                               {}};
    outcome.push_back(Evaluate(policy, {{Architecture::kX86_64, 0}, {value}}) ==
                      SeccompAction::Allow());
  }
  return outcome;
}

TEST(DistinctValues, OneOfEachKind) {
  const Expected<std::vector<std::uint64_t>> none = DistinctValues({}, kAllBits);
  ASSERT_TRUE(none.has_value());
  EXPECT_EQ(none->size(), 1U);
  const Expected<std::vector<std::uint64_t>> range = DistinctValues(
      {{0, Comparison::kGreaterOrEqual, 10, 0}, {0, Comparison::kLess, 20, 0}}, kAllBits);
  ASSERT_TRUE(range.has_value());
  EXPECT_EQ(range->size(), 3U);
}

TEST(DistinctValues, NeverLooksBeyondTheComparableBits) {
  const Expected<std::vector<std::uint64_t>> values =
      DistinctValues({{0, Comparison::kGreater, 0xffffffff, 0}}, 0xffffffff);
  ASSERT_TRUE(values.has_value());
  EXPECT_EQ(values->size(), 1U);
  EXPECT_LE(values->front(), 0xffffffffU);
}

TEST(DistinctValues, FindsTheOnlyValueThatEscapes) {
  // All values of three bits but 5 are excluded.
  std::vector<ArgumentCondition> conditions = {{0, Comparison::kMaskedEqual, 0, kAllBits << 3}};
  for (std::uint64_t value = 0; value < 8; ++value) {
    if (value != 5) {
      conditions.push_back({0, Comparison::kNotEqual, value, 0});
    }
  }
  const Expected<std::vector<std::uint64_t>> values = DistinctValues(conditions, kAllBits);
  ASSERT_TRUE(values.has_value());
  EXPECT_TRUE(std::ranges::find(*values, 5U) != values->end());
}

TEST(DistinctValues, EveryValueIsStoodForByExactlyOne) {
  std::mt19937_64 numbers(7);
  for (std::uint32_t seed = 0; seed < 150; ++seed) {
    RandomPolicies random(seed);
    std::vector<ArgumentCondition> conditions(1 + random.Below(7));
    std::ranges::generate(conditions, [&] { return random.Condition(0); });
    const Expected<std::vector<std::uint64_t>> values = DistinctValues(conditions, kAllBits);
    ASSERT_TRUE(values.has_value()) << values.error().message;
    std::set<std::vector<bool>> outcomes;
    for (const std::uint64_t value : *values) {
      EXPECT_TRUE(outcomes.insert(Outcome(conditions, value)).second) << "seed " << seed;
    }
    for (int i = 0; i < 200; ++i) {
      const std::uint64_t value =
          i % 2 == 0 ? random.Value() + random.Below(3) - 1 : numbers() >> random.Below(64);
      EXPECT_TRUE(outcomes.contains(Outcome(conditions, value)))
          << "seed " << seed << ", " << value;
    }
  }
}

}  // namespace
}  // namespace cordon
