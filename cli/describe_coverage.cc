#include "cli/describe_coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "common/text.h"

namespace cordon::cli {
namespace {

/// Limitations after which a part of the workload's life or one of its tasks is missing altogether;
/// with all others everything else is known to be there (docs/recording-format.md).
constexpr std::array<std::string_view, 5> kPartial{
    "attached", "unknown-architecture", "unknown-parent", "untraced-child", "untraced-clone"};

constexpr double kLeastPercent = 0.01;

double Percent(std::uint64_t part, std::uint64_t whole) {
  return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

/// Good (1953): the share of the unseen is about that of what was seen once. Of nothing seen once
/// the estimate would be 0, which no number of sightings shows: then the rule of three bounds it.
std::string Estimate(std::uint64_t once, std::uint64_t all, std::string_view what) {
  if (all == 0) {
    return {};
  }
  if (once == 0) {
    constexpr std::uint64_t kRuleOfThree = 3;
    return fmt::format(
        "    {} {}, none of them the only one of its kind: the next is new with a "
        "chance below {:.2g} %\n",
        all, what, std::max(kLeastPercent, Percent(std::min(kRuleOfThree, all), all)));
  }
  const double percent = Percent(once, all);
  return fmt::format(
      "    {} {}, {} of them the only one of its kind: the next is new with a "
      "chance {} {:.2g} %\n",
      all, what, once, percent < kLeastPercent ? "below" : "of about",
      std::max(kLeastPercent, percent));
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
  std::set<std::string> lines;
  bool partial = recording.runs.empty();
  for (const auto& [id, run] : recording.runs) {
    if (!run.outcome) {
      lines.insert(
          "  a run was ended before the workload: what it would have done later is not known\n");
    }
    for (const Limitation& limitation : run.limitations) {
      lines.insert(fmt::format("  {}: {}\n", limitation.kind, limitation.detail));
      partial |= std::ranges::find(kPartial, limitation.kind) != kPartial.end();
    }
  }
  if (lines.empty() && !partial) {
    return "Complete: nothing that was done is known to be missing from this recording.\n";
  }
  return fmt::format("{}\n{}",
                     partial ? "Partial: a part of what the workload did was not seen:"
                             : "Complete, except for this, which could not be seen:",
                     Join({lines.begin(), lines.end()}, ""));
}

}  // namespace cordon::cli
