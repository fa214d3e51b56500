#include "model/register_values.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>

namespace cordon {
namespace {

constexpr std::uint64_t kAllBits = std::numeric_limits<std::uint64_t>::max();

/// More than any honest profile comes near; each costs less than a microsecond.
constexpr std::size_t kMaxSteps = std::size_t{1} << 22;
constexpr std::size_t kMaxValues = std::size_t{1} << 16;

/// Values with these bits.
struct BitPattern {
  std::uint64_t mask = 0;
  std::uint64_t value = 0;  ///< none outside mask
};

/// Values from `low` to `high` that match `fixed` and none of `excluded`.
struct ValueSet {
  std::uint64_t low = 0;
  std::uint64_t high = kAllBits;
  BitPattern fixed;
  std::vector<BitPattern> excluded;
  bool empty = false;

  void Require(const BitPattern& pattern) {
    if (((fixed.value ^ pattern.value) & fixed.mask & pattern.mask) != 0) {
      empty = true;
    }
    fixed.mask |= pattern.mask;
    fixed.value |= pattern.value;
  }

  void AtMost(std::uint64_t value) { high = std::min(high, value); }

  void AtLeast(std::uint64_t value) { low = std::max(low, value); }

  /// value - 1, or nothing.
  void Below(std::uint64_t value) {
    empty = empty || value == 0;
    AtMost(value - 1);
  }

  void Above(std::uint64_t value) {
    empty = empty || value == kAllBits;
    AtLeast(value + 1);
  }
};

/// The smallest value from `low` on that matches `pattern`.
std::optional<std::uint64_t> NextMatch(std::uint64_t low, const BitPattern& pattern) {
  const std::uint64_t wrong = (low ^ pattern.value) & pattern.mask;
  if (wrong == 0) {
    return low;
  }
  // Above the highest wrong bit everything can stay. If that bit has to become 1, what is below it
  // is free to be small; if it has to become 0, a free 0 above it must become 1.
  std::uint64_t raised = std::bit_floor(wrong);
  if ((pattern.value & raised) == 0) {
    const std::uint64_t candidates = ~pattern.mask & ~low & ~(raised | (raised - 1));
    if (candidates == 0) {
      return std::nullopt;
    }
    raised = candidates & (~candidates + 1);
  }
  return (low & ~(raised | (raised - 1))) | raised | (pattern.value & (raised - 1));
}

class ValueSearch {
 public:
  /// Any value of `set`; nothing when it is empty, or when the steps are used up.
  std::optional<std::uint64_t> Find(const ValueSet& set) {
    if (set.empty || ++steps_ > kMaxSteps) {
      return std::nullopt;
    }
    const std::optional<std::uint64_t> value = NextMatch(set.low, set.fixed);
    if (!value || *value > set.high) {
      return std::nullopt;
    }
    const auto hit = std::ranges::find_if(set.excluded, [&](const BitPattern& pattern) {
      return (*value & pattern.mask) == pattern.value;
    });
    if (hit == set.excluded.end()) {
      return value;
    }
    // Every value that escapes the pattern differs from it first, from the lowest bit, in one of
    // these bits.
    ValueSet rest = set;
    for (std::uint64_t open = hit->mask & ~set.fixed.mask; open != 0; open &= open - 1) {
      const std::uint64_t bit = open & (~open + 1);
      ValueSet branch = rest;
      branch.Require({bit, ~hit->value & bit});
      if (const std::optional<std::uint64_t> found = Find(branch)) {
        return found;
      }
      rest.Require({bit, hit->value & bit});
    }
    return std::nullopt;
  }

  bool gave_up() const { return steps_ > kMaxSteps; }

 private:
  std::size_t steps_ = 0;
};

/// What is left of `set` where `condition` comes out as `holds`.
ValueSet Restrict(ValueSet set, const ArgumentCondition& condition, bool holds) {
  const std::uint64_t value = condition.value;
  const auto match = [&](const BitPattern& pattern, bool wanted) {
    if (wanted) {
      set.Require(pattern);
    } else {
      set.excluded.push_back(pattern);
    }
  };
  switch (condition.comparison) {
    case Comparison::kEqual:
      match({kAllBits, value}, holds);
      break;
    case Comparison::kNotEqual:
      match({kAllBits, value}, !holds);
      break;
    case Comparison::kLess:
      holds ? set.Below(value) : set.AtLeast(value);
      break;
    case Comparison::kLessOrEqual:
      holds ? set.AtMost(value) : set.Above(value);
      break;
    case Comparison::kGreater:
      holds ? set.Above(value) : set.AtMost(value);
      break;
    case Comparison::kGreaterOrEqual:
      holds ? set.AtLeast(value) : set.Below(value);
      break;
    case Comparison::kMaskedEqual:
      if ((value & ~condition.mask) == 0) {
        match({condition.mask, value}, holds);
      } else {
        set.empty = set.empty || holds;
      }
      break;
  }
  return set;
}

}  // namespace

Expected<std::vector<std::uint64_t>> DistinctValues(
    const std::vector<ArgumentCondition>& conditions, std::uint64_t comparable_bits) {
  ValueSearch search;
  ValueSet whole;
  whole.high = comparable_bits;
  std::vector<ValueSet> sets = {whole};
  for (const ArgumentCondition& condition : conditions) {
    std::vector<ValueSet> finer;
    for (const ValueSet& set : sets) {
      for (const bool holds : {true, false}) {
        ValueSet part = Restrict(set, condition, holds);
        if (search.Find(part)) {
          finer.push_back(std::move(part));
        }
      }
    }
    sets = std::move(finer);
    if (search.gave_up() || sets.size() > kMaxValues) {
      return Fail(MakeError(ErrorCode::kLimit,
                            "the conditions on one argument are too many to tell apart"));
    }
  }
  std::vector<std::uint64_t> values;
  values.reserve(sets.size());
  for (const ValueSet& set : sets) {
    values.push_back(search.Find(set).value_or(0));
  }
  return values;
}

}  // namespace cordon
