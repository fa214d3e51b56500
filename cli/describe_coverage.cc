#include "cli/describe_coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "common/printable.h"
#include "common/text.h"
#include "model/recording_verdict.h"

namespace cordon::cli {
namespace {

std::string Estimate(std::uint64_t once, std::uint64_t all, std::string_view what) {
  if (all == 0) {
    return {};
  }
  const UnseenChance chance = EstimateUnseen(once, all);
  return fmt::format(
      "    {} {}, {} of them the only one of its kind: the next is new with a chance {} {:.2g} %\n",
      all, what, once == 0 ? "none" : std::to_string(once),
      chance.upper_bound ? "below" : "of about", chance.percent);
}

std::string DescribeRunSaturation(const Run& run) {
  constexpr double kMsPerSecond = 1000.0;
  std::string out;
  if (!run.discovery.empty()) {
    const DiscoveryPoint& last = run.discovery.back();
    const std::uint64_t half = (last.items + 1) / 2;
    const auto reached = std::ranges::find_if(
        run.discovery, [&](const DiscoveryPoint& point) { return point.items >= half; });
    out += fmt::format(
        "  of {}: {} distinct behaviours, half of them by {:.1f} s, the last new one "
        "at {:.1f} s of {:.1f} s\n",
        run.further.empty() ? Quote(run.command.empty() ? "" : run.command[0], 60)
                            : Quote(run.further, 60),
        last.items, static_cast<double>(reached->ms) / kMsPerSecond,
        static_cast<double>(last.ms) / kMsPerSecond,
        static_cast<double>(run.duration_ms) / kMsPerSecond);
  }
  return out + Estimate(run.coverage.calls_once, run.coverage.calls, "calls") +
         Estimate(run.coverage.files_once, run.coverage.uses, "uses of files");
}

}  // namespace

std::string DescribeSaturation(const Recording& recording) {
  std::string out;
  for (const auto& [id, run] : recording.runs) {
    out += DescribeRunSaturation(run);
  }
  return out.empty() ? out
                     : "Saturation (Good-Turing; it speaks of more of the same work, not of work "
                       "that was never done):\n" +
                           out;
}

std::string DescribeVerdict(const Recording& recording) {
  std::vector<std::string> lines;
  for (const std::string& line : WhatIsMissing(recording)) {
    lines.push_back("  " + Printable(line) + "\n");
  }
  const Completeness completeness = CompletenessOf(recording);
  if (completeness == Completeness::kComplete) {
    return "Complete: nothing that was done is known to be missing from this recording.\n";
  }
  return fmt::format("{}\n{}",
                     completeness == Completeness::kPartial
                         ? "Partial: a part of what the workload did was not seen:"
                         : "Complete, except for this, which could not be seen:",
                     Join(lines, ""));
}

}  // namespace cordon::cli
