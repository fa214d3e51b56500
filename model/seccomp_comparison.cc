#include "model/seccomp_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "model/register_values.h"

namespace cordon {
namespace {

constexpr std::size_t kMaxCombinations = std::size_t{1} << 22;

using Registers = std::array<std::uint64_t, 6>;

/// For each register the values to try.
using Choices = std::array<std::vector<std::uint64_t>, 6>;

Expected<Choices> ChoicesFor(const CallRules& left, const CallRules& right) {
  Choices choices;
  std::size_t combinations = 1;
  for (unsigned index = 0; index < choices.size(); ++index) {
    std::set<ArgumentCondition> conditions;
    for (const CallRules* rules : {&left, &right}) {
      for (const ArgumentCondition& condition : rules->Conditions()) {
        if (condition.index == index) {
          conditions.insert(condition);
        }
      }
    }
    ASSIGN_OR_RETURN(choices.at(index), DistinctValues({conditions.begin(), conditions.end()},
                                                       left.comparable_bits()));
    combinations *= choices.at(index).size();
    if (combinations > kMaxCombinations) {
      return Fail(MakeError(ErrorCode::kLimit,
                            "the conditions on several arguments are too many to tell apart"));
    }
  }
  return choices;
}

/// Calls `visit` with every combination.
template <typename Visit>
void ForEachCombination(const Choices& choices, Visit visit) {
  std::array<std::size_t, 6> position{};
  Registers registers{};
  for (;;) {
    for (std::size_t i = 0; i < registers.size(); ++i) {
      registers.at(i) = choices.at(i).at(position.at(i));
    }
    visit(registers);
    std::size_t digit = 0;
    while (digit < position.size() && ++position.at(digit) == choices.at(digit).size()) {
      position.at(digit++) = 0;
    }
    if (digit == position.size()) {
      return;
    }
  }
}

bool Holds(AnswerRelation relation, const SeccompAction& left, const SeccompAction& right) {
  return relation == AnswerRelation::kDiffers
             ? left != right
             : Restrictiveness(left.kind) < Restrictiveness(right.kind);
}

Expected<std::optional<AnswerDifference>> DifferenceIn(Syscall call, const SeccompPolicy& left,
                                                       const SeccompPolicy& right,
                                                       AnswerRelation relation) {
  const CallRules left_rules(left, call);
  const CallRules right_rules(right, call);
  ASSIGN_OR_RETURN(const Choices choices, ChoicesFor(left_rules, right_rules));
  std::optional<AnswerDifference> found;
  bool same_everywhere = true;
  ForEachCombination(choices, [&](const Registers& registers) {
    const SeccompAction left_answer = left_rules.Answer(registers);
    const SeccompAction right_answer = right_rules.Answer(registers);
    if (!found && Holds(relation, left_answer, right_answer)) {
      found = AnswerDifference{{call, registers}, left_answer, right_answer};
    }
    same_everywhere =
        same_everywhere && found && left_answer == found->left && right_answer == found->right;
  });
  if (found && same_everywhere) {
    found->extent = AnswerDifference::Extent::kAllArguments;
  }
  return found;
}

std::int32_t LowestUnnamed(Architecture arch) {
  return SyscallsOf(arch).empty() ? 0 : SyscallsOf(arch).back().first + 1;
}

}  // namespace

Expected<std::vector<AnswerDifference>> FindDifferences(const SeccompPolicy& left,
                                                        const SeccompPolicy& right,
                                                        AnswerRelation relation) {
  std::set<Architecture> architectures(left.architectures.begin(), left.architectures.end());
  architectures.insert(right.architectures.begin(), right.architectures.end());
  std::vector<AnswerDifference> differences;
  for (const Architecture arch : architectures) {
    std::vector<std::int32_t> numbers;
    for (const auto& [number, name] : SyscallsOf(arch)) {
      numbers.push_back(number);
    }
    numbers.push_back(LowestUnnamed(arch));
    for (const std::int32_t number : numbers) {
      const Syscall call{arch, number};
      Expected<std::optional<AnswerDifference>> difference =
          DifferenceIn(call, left, right, relation);
      if (!difference) {
        return Fail(difference.error().WithContext(
            fmt::format("{} on {}", SyscallLabel(call), Name(arch))));
      }
      if (const std::optional<AnswerDifference>& found = *difference) {
        differences.push_back(*found);
      }
    }
  }
  return differences;
}

}  // namespace cordon
