#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "common/text.h"
#include "generator/report/report_views.h"

namespace cordon::report {
namespace {

constexpr std::size_t kMaxRunsShown = 12;

/// A chart's plane in the units of its viewBox (page/runs.html).
constexpr double kLeft = 48;
constexpr double kRight = 708;
constexpr double kTop = 12;
constexpr double kBottom = 168;

std::string Coordinate(double value) {
  return fmt::format("{:.1f}", value);
}

/// The greatest of 1, 2, 5, 10, … that divides `span` into four parts at least.
double TickStep(double span) {
  constexpr double kParts = 4;
  const double rough = std::max(span, 1.0) / kParts;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {5.0, 2.0}) {
    if (power * factor <= rough) {
      return power * factor;
    }
  }
  return power;
}

double Scaled(double value, double end, double from, double to) {
  return from + (to - from) * value / std::max(end, 1.0);
}

std::vector<double> TicksUpTo(double end) {
  const double step = TickStep(end);
  std::vector<double> ticks;
  for (int i = 0; step * i <= end; ++i) {
    ticks.push_back(step * i);
  }
  return ticks;
}

Json CurveOf(const Run& run) {
  const double end = static_cast<double>(
      std::max<std::uint64_t>({run.duration_ms, run.discovery.back().ms, std::uint64_t{1}}));
  const auto most = static_cast<double>(run.discovery.back().items);
  const auto x = [&](double ms) { return Scaled(ms, end, kLeft, kRight); };
  const auto y = [&](double items) { return Scaled(items, most, kBottom, kTop); };
  std::string path = fmt::format("M{},{}", Coordinate(x(0)), Coordinate(y(0)));
  for (const DiscoveryPoint& point : run.discovery) {
    path += fmt::format("H{}V{}", Coordinate(x(static_cast<double>(point.ms))),
                        Coordinate(y(static_cast<double>(point.items))));
  }
  path += "H" + Coordinate(x(end));
  Json curve;
  curve["CURVE_LINE"] = path;
  curve["CURVE_AREA"] = path + fmt::format("V{}H{}Z", Coordinate(kBottom), Coordinate(kLeft));
  curve["X_TICK"] = Json::array();
  for (const double at : TicksUpTo(end)) {
    curve["X_TICK"].push_back(
        {{"TICK_AT", Coordinate(x(at))}, {"TICK_LABEL", Duration(static_cast<std::uint64_t>(at))}});
  }
  curve["Y_TICK"] = Json::array();
  for (const double at : TicksUpTo(most)) {
    curve["Y_TICK"].push_back({{"TICK_AT", Coordinate(y(at))},
                               {"TICK_TEXT_AT", Coordinate(y(at) + 4)},
                               {"TICK_LABEL", Grouped(static_cast<std::uint64_t>(at))}});
  }
  if (run.serving_ms) {
    curve["BOUNDARY"] = {
        {"BOUNDARY_AT", Coordinate(x(static_cast<double>(*run.serving_ms)))},
        {"BOUNDARY_LABEL_AT", Coordinate(x(static_cast<double>(*run.serving_ms)) + 5)}};
  }
  const std::uint64_t half = (run.discovery.back().items + 1) / 2;
  const auto reached = std::ranges::find_if(
      run.discovery, [&](const DiscoveryPoint& point) { return point.items >= half; });
  curve["CURVE_SUMMARY"] = fmt::format(
      "{}: half of them by {}, the last new one at {} of {}.",
      Counted(run.discovery.back().items, "distinct behaviour", "distinct behaviours"),
      Duration(reached->ms), Duration(run.discovery.back().ms), Duration(run.duration_ms));
  return curve;
}

Json RunOf(const std::string& id, const Run& run) {
  std::vector<std::string> words;
  for (const std::string& argument : run.command) {
    const bool plain = !argument.empty() &&
                       argument.find_first_of(" '\"\\$`|&;<>()*?[]{}~#\n\t") == std::string::npos;
    words.push_back(plain ? argument : Quote(argument));
  }
  Json view;
  view["RUN_ID"] = VisibleText(id).substr(0, 12);
  view["RUN_COMMAND"] = words.empty() ? std::string("no command") : VisibleText(Join(words, " "));
  view["RUN_FURTHER"] = VisibleText(run.further);
  view["IS_FURTHER"] = !run.further.empty();
  view["RUN_OUTCOME"] = run.outcome ? Describe(*run.outcome) : "ended before the workload did";
  view["RUN_TIME"] = Duration(run.duration_ms);
  view["RUN_STARTED"] = Moment(run.started_unix_s);
  view["RUN_TIER"] = run.tier.empty()     ? std::string("unknown")
                     : run.tier == "fast" ? std::string("fast (counts are lower bounds)")
                                          : VisibleText(run.tier);
  view["RUN_HOST"] =
      VisibleText(Join({"Linux " + run.host.kernel, run.host.architecture,
                        run.host.libc.empty() ? std::string("unknown C library") : run.host.libc,
                        fmt::format("uid {}", run.host.effective_uid)},
                       ", "));
  view["RUN_CALLS"] = Grouped(run.coverage.calls);
  view["RUN_SERVED"] = run.serving_ms ? fmt::format("from {} on ({})", Duration(*run.serving_ms),
                                                    VisibleText(run.serving_when))
                                      : std::string("no boundary");
  view["RUN_WITHHELD"] = VisibleText(Join({run.withheld.begin(), run.withheld.end()}, ", "));
  view["HAS_WITHHELD"] = !run.withheld.empty();
  view["RUN_LIMIT"] = Json::array();
  for (const Limitation& limitation : run.limitations) {
    view["RUN_LIMIT"].push_back({{"LIMIT_KIND", VisibleText(limitation.kind)},
                                 {"LIMIT_DETAIL", VisibleText(limitation.detail)}});
  }
  if (!run.discovery.empty()) {
    view["CURVE"] = CurveOf(run);
  }
  return view;
}

/// A kind of behaviour in the timeline.
struct Lane {
  std::string_view name;
  std::vector<std::uint64_t> first_ms;
  std::uint64_t start_only = 0;
  std::uint64_t both = 0;
  std::uint64_t serve_only = 0;

  void Add(const Seen& seen) {
    if (seen.count == 0) {
      return;
    }
    first_ms.push_back(seen.first_ms);
    const bool start = seen.phases.Has(Phase::kStart);
    const bool serve = seen.phases.Has(Phase::kServe);
    start_only += start && !serve ? 1 : 0;
    both += start && serve ? 1 : 0;
    serve_only += serve && !start ? 1 : 0;
  }
};

constexpr double kLaneHeight = 40;
constexpr double kLaneLeft = 100;
constexpr std::size_t kBins = 60;

/// Starts take milliseconds and serving hours: only a logarithmic scale shows both.
double LaneX(std::uint64_t ms, std::uint64_t end) {
  return kLaneLeft + (kRight - kLaneLeft) * std::log1p(static_cast<double>(ms)) /
                         std::log1p(static_cast<double>(std::max<std::uint64_t>(end, 1)));
}

Json LaneView(const Lane& lane, std::size_t row, std::uint64_t end) {
  std::array<std::uint64_t, kBins> bins{};
  const double width = (kRight - kLaneLeft) / static_cast<double>(kBins);
  for (const std::uint64_t ms : lane.first_ms) {
    const double place = (LaneX(std::min(ms, end), end) - kLaneLeft) / width;
    ++bins.at(std::min(static_cast<std::size_t>(place), kBins - 1));
  }
  const double most =
      std::sqrt(static_cast<double>(std::max<std::uint64_t>(*std::ranges::max_element(bins), 1)));
  const double base = kTop + kLaneHeight * static_cast<double>(row + 1);
  Json view;
  view["LANE_NAME"] = lane.name;
  view["LANE_TEXT_AT"] = Coordinate(base - 6);
  view["LANE_BASE"] = Coordinate(base);
  view["LANE_BAR"] = Json::array();
  for (std::size_t i = 0; i < kBins; ++i) {
    if (bins.at(i) == 0) {
      continue;
    }
    constexpr double kLeast = 3;
    const double height =
        std::max(kLeast, (kLaneHeight - 10) * std::sqrt(static_cast<double>(bins.at(i))) / most);
    view["LANE_BAR"].push_back({{"BAR_X", Coordinate(kLaneLeft + width * static_cast<double>(i))},
                                {"BAR_Y", Coordinate(base - height)},
                                {"BAR_WIDTH", Coordinate(width - 1)},
                                {"BAR_HEIGHT", Coordinate(height)},
                                {"BAR_TITLE", Grouped(bins.at(i))}});
  }
  return view;
}

}  // namespace

Json RunsView(const Recording& recording) {
  std::vector<const std::pair<const std::string, Run>*> runs;
  runs.reserve(recording.runs.size());
  for (const auto& entry : recording.runs) {
    runs.push_back(&entry);
  }
  std::ranges::stable_sort(runs, {}, [](const auto* entry) {
    return std::pair(entry->second.started_unix_s, entry->second.further);
  });
  Json view;
  view["RUN"] = Json::array();
  for (const auto* entry : runs) {
    if (view["RUN"].size() == kMaxRunsShown) {
      view["MORE_RUNS"] = {
          {"MORE_COUNT", Counted(runs.size() - kMaxRunsShown, "further run", "further runs")}};
      break;
    }
    view["RUN"].push_back(RunOf(entry->first, entry->second));
  }
  return view;
}

Json PhasesView(const Recording& recording) {
  std::array<Lane, 4> lanes;
  lanes[0].name = "Programs";
  lanes[1].name = "System calls";
  lanes[2].name = "Files";
  lanes[3].name = "Sockets";
  for (const auto& [key, item] : recording.processes) {
    lanes[0].Add(item.seen);
  }
  for (const auto& [key, item] : recording.syscalls) {
    lanes[1].Add(item.seen);
  }
  for (const auto& [key, item] : recording.files) {
    lanes[2].Add(item.seen);
  }
  for (const auto& [key, item] : recording.sockets) {
    lanes[3].Add(item.seen);
  }
  const Run* longest = nullptr;
  for (const auto& [id, run] : recording.runs) {
    if (run.further.empty() && (longest == nullptr || run.duration_ms > longest->duration_ms)) {
      longest = &run;
    }
  }
  const std::uint64_t end =
      longest == nullptr ? 1 : std::max<std::uint64_t>(longest->duration_ms, 1);
  Json view;
  view["LANE"] = Json::array();
  view["PHASE_ROW"] = Json::array();
  bool served = false;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    const Lane& lane = lanes.at(i);
    view["LANE"].push_back(LaneView(lane, i, end));
    served |= lane.both + lane.serve_only > 0;
    view["PHASE_ROW"].push_back({{"PHASE_KIND", lane.name},
                                 {"PHASE_START", Grouped(lane.start_only)},
                                 {"PHASE_BOTH", Grouped(lane.both)},
                                 {"PHASE_SERVE", Grouped(lane.serve_only)}});
  }
  view["TIME_TICK"] = Json::array();
  constexpr std::uint64_t kLongest = 1'000'000'000'000;
  for (std::uint64_t ms = 1; ms < std::min(end, kLongest); ms *= 10) {
    view["TIME_TICK"].push_back(
        {{"TICK_AT", Coordinate(LaneX(ms, end))}, {"TICK_LABEL", Duration(ms)}});
  }
  if (longest != nullptr && longest->serving_ms) {
    const double at = LaneX(*longest->serving_ms, end);
    view["SERVING"] = {{"SERVING_AT", Coordinate(at)},
                       {"SERVING_LABEL_AT", Coordinate(at + 5)},
                       {"SERVING_WIDTH", Coordinate(kRight - at)},
                       {"SERVING_TIME", Duration(*longest->serving_ms)}};
  }
  view[served ? "TWO_PHASES" : "ONE_PHASE"] = true;
  return view;
}

}  // namespace cordon::report
