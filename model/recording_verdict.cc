#include "model/recording_verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace cordon {
namespace {

constexpr std::array<std::string_view, 5> kPartial{
    "attached", "unknown-architecture", "unknown-parent", "untraced-child", "untraced-clone"};

constexpr double kLeastPercent = 0.01;

double Percent(std::uint64_t part, std::uint64_t whole) {
  return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

bool MakesPartial(std::string_view limitation_kind) {
  return std::ranges::find(kPartial, limitation_kind) != kPartial.end();
}

bool HasTracedRun(const Recording& recording) {
  return std::ranges::any_of(recording.runs, [](const auto& run) {
    return run.second.tier != "audit" && run.second.tier != "denials";
  });
}

Completeness CompletenessOf(const Recording& recording) {
  if (!HasTracedRun(recording)) {
    return Completeness::kPartial;
  }
  Completeness worst = Completeness::kComplete;
  for (const auto& [id, run] : recording.runs) {
    for (const Limitation& limitation : run.limitations) {
      if (MakesPartial(limitation.kind)) {
        return Completeness::kPartial;
      }
    }
    if (!run.outcome || !run.limitations.empty()) {
      worst = Completeness::kExcept;
    }
  }
  return worst;
}

std::set<std::string> WhatIsMissing(const Recording& recording) {
  std::set<std::string> lines;
  if (!HasTracedRun(recording)) {
    lines.insert(
        "no run was traced: nothing is in it of what the policy allowed; merge it with what that "
        "was made from");
  }
  for (const auto& [id, run] : recording.runs) {
    if (!run.outcome) {
      lines.insert(
          "a run was ended before the workload: what it would have done later is not known");
    }
    for (const Limitation& limitation : run.limitations) {
      lines.insert(fmt::format("{}: {}", limitation.kind, limitation.detail));
    }
  }
  return lines;
}

UnseenChance EstimateUnseen(std::uint64_t once, std::uint64_t all) {
  if (once == 0) {
    constexpr std::uint64_t kRuleOfThree = 3;
    return {.percent = std::max(kLeastPercent, Percent(std::min(kRuleOfThree, all), all)),
            .upper_bound = true};
  }
  const double percent = Percent(once, all);
  return {.percent = std::max(kLeastPercent, percent), .upper_bound = percent < kLeastPercent};
}

}  // namespace cordon
