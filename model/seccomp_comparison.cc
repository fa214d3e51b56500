#include "model/seccomp_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "model/answer_diagrams.h"

namespace cordon {
namespace {

bool Holds(AnswerRelation relation, const SeccompAction& left, const SeccompAction& right) {
  return relation == AnswerRelation::kDiffers
             ? left != right
             : Restrictiveness(left.kind) < Restrictiveness(right.kind);
}

Expected<std::optional<AnswerDifference>> DifferenceIn(Syscall call, const SeccompPolicy& left,
                                                       const SeccompPolicy& right,
                                                       AnswerRelation relation) {
  AnswerDiagrams diagrams;
  ASSIGN_OR_RETURN(const AnswerDiagrams::Node a, diagrams.Of(CallRules(left, call)));
  ASSIGN_OR_RETURN(const AnswerDiagrams::Node b, diagrams.Of(CallRules(right, call)));
  const std::optional<AnswerExample> example = diagrams.Find(
      a, b, [&](const SeccompAction& x, const SeccompAction& y) { return Holds(relation, x, y); });
  if (!example) {
    return std::nullopt;
  }
  const bool everywhere = diagrams.Constant(a) && diagrams.Constant(b);
  return AnswerDifference{{call, example->registers},
                          example->left,
                          example->right,
                          everywhere ? AnswerDifference::Extent::kAllArguments
                                     : AnswerDifference::Extent::kSomeArguments};
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
