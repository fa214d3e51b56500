#include "model/seccomp_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/errno_name.h"

namespace cordon {
namespace {

struct ActionName {
  std::string_view name;
  SeccompActionKind kind;
};

// Of two names of a kind the first is written.
constexpr std::array kActionNames = {
    ActionName{"SCMP_ACT_ALLOW", SeccompActionKind::kAllow},
    ActionName{"SCMP_ACT_LOG", SeccompActionKind::kLog},
    ActionName{"SCMP_ACT_TRACE", SeccompActionKind::kTrace},
    ActionName{"SCMP_ACT_NOTIFY", SeccompActionKind::kNotify},
    ActionName{"SCMP_ACT_ERRNO", SeccompActionKind::kErrno},
    ActionName{"SCMP_ACT_TRAP", SeccompActionKind::kTrap},
    ActionName{"SCMP_ACT_KILL_THREAD", SeccompActionKind::kKillThread},
    ActionName{"SCMP_ACT_KILL_PROCESS", SeccompActionKind::kKillProcess},
    ActionName{"SCMP_ACT_KILL", SeccompActionKind::kKillThread},
};

struct ComparisonName {
  std::string_view name;
  Comparison comparison;
};

constexpr std::array kComparisonNames = {
    ComparisonName{"SCMP_CMP_EQ", Comparison::kEqual},
    ComparisonName{"SCMP_CMP_NE", Comparison::kNotEqual},
    ComparisonName{"SCMP_CMP_LT", Comparison::kLess},
    ComparisonName{"SCMP_CMP_LE", Comparison::kLessOrEqual},
    ComparisonName{"SCMP_CMP_GT", Comparison::kGreater},
    ComparisonName{"SCMP_CMP_GE", Comparison::kGreaterOrEqual},
    ComparisonName{"SCMP_CMP_MASKED_EQ", Comparison::kMaskedEqual},
};

constexpr std::array<std::string_view, 4> kFlags = {
    "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};

}  // namespace

bool TakesErrno(SeccompActionKind kind) {
  return kind == SeccompActionKind::kErrno || kind == SeccompActionKind::kTrace;
}

std::string_view ScmpName(SeccompActionKind kind) {
  return std::ranges::find(kActionNames, kind, &ActionName::kind)->name;
}

std::optional<SeccompActionKind> SeccompActionFromName(std::string_view name) {
  const auto* const found = std::ranges::find(kActionNames, name, &ActionName::name);
  return found == kActionNames.end() ? std::nullopt : std::optional(found->kind);
}

std::string Describe(const SeccompAction& action) {
  const std::string name(ScmpName(action.kind).substr(std::string_view("SCMP_ACT_").size()));
  return action.kind == SeccompActionKind::kErrno ? name + " " + ErrnoName(action.data) : name;
}

std::string Describe(const ArgumentCondition& condition) {
  constexpr std::array<std::string_view, 7> kVerbs = {
      "is", "is not", "is less than", "is at most", "is greater than", "is at least", "is"};
  const bool masked = condition.comparison == Comparison::kMaskedEqual;
  return fmt::format("argument {}{} {} {:#x}", condition.index,
                     masked ? fmt::format(" & {:#x}", condition.mask) : "",
                     kVerbs.at(static_cast<std::size_t>(condition.comparison)), condition.value);
}

std::string_view ScmpName(Comparison comparison) {
  return std::ranges::find(kComparisonNames, comparison, &ComparisonName::comparison)->name;
}

std::optional<Comparison> ComparisonFromName(std::string_view name) {
  const auto* const found = std::ranges::find(kComparisonNames, name, &ComparisonName::name);
  return found == kComparisonNames.end() ? std::nullopt : std::optional(found->comparison);
}

bool IsSeccompFlag(std::string_view name) {
  return std::ranges::find(kFlags, name) != kFlags.end();
}

}  // namespace cordon
