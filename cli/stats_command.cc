#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/ask_sandbox.h"
#include "cli/print_document.h"
#include "cli/report_error.h"
#include "cli/resource_commands.h"
#include "common/text.h"
#include "model/sandbox_usage.h"
#include "runtime/cgroup_usage.h"
#include "runtime/sandbox_processes.h"

namespace cordon::cli {
namespace {

enum class StatsFormat : std::uint8_t { kTable, kJson };

enum class StatsMode : std::uint8_t { kOnce, kLive };

struct StatsOptions {
  std::string name;
  StatsFormat format = StatsFormat::kTable;
  StatsMode mode = StatsMode::kLive;
};

struct Sample {
  std::string name;
  SandboxUsage usage;
  std::int64_t at_us = 0;  ///< since 1970-01-01 UTC
  std::int64_t started_us = 0;
};

std::int64_t NowUs() {
  timespec now{};
  (void)::clock_gettime(CLOCK_REALTIME, &now);
  return (std::int64_t{now.tv_sec} * 1'000'000) + (now.tv_nsec / 1000);
}

Sample Measure(const SandboxState& state) {
  Sample sample{state.name, ReadCgroupUsage(state.cgroups), NowUs(), state.started_ms * 1000};
  AddProcessUsage(SandboxProcesses(state.supervisor), sample.usage);
  return sample;
}

/// "1.5M".
std::string SizeText(std::optional<std::uint64_t> bytes) {
  if (!bytes) {
    return "-";
  }
  constexpr std::string_view kUnits = "BKMGT";
  auto number = static_cast<double>(*bytes);
  std::size_t unit = 0;
  while (number >= 1024 && unit + 1 < kUnits.size()) {
    number /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{}B", *bytes) : fmt::format("{:.1f}{}", number, kUnits[unit]);
}

std::string CountText(std::optional<std::uint64_t> count) {
  return count ? std::to_string(*count) : "-";
}

/// In percent of one processor: since `before`, or since the sandbox began.
std::string CpuText(const Sample& sample, const Sample* before) {
  if (!sample.usage.cpu_us) {
    return "-";
  }
  const std::uint64_t past = before == nullptr ? 0 : before->usage.cpu_us.value_or(0);
  const std::int64_t us = sample.at_us - (before == nullptr ? sample.started_us : before->at_us);
  const double used = static_cast<double>(*sample.usage.cpu_us) - static_cast<double>(past);
  return us <= 0 ? "-"
                 : fmt::format("{:.1f}", std::max(0.0, 100.0 * used / static_cast<double>(us)));
}

/// What is used, as Docker counts it: without what the kernel gives back first.
std::optional<std::uint64_t> MemoryInUse(const SandboxUsage& usage) {
  if (!usage.memory_bytes) {
    return std::nullopt;
  }
  const std::uint64_t inactive = usage.memory_inactive_file_bytes.value_or(0);
  return *usage.memory_bytes > inactive ? *usage.memory_bytes - inactive : 0;
}

std::string TableOf(const std::vector<Sample>& samples,
                    const std::map<std::string, Sample>& before) {
  std::size_t width = 4;
  for (const Sample& sample : samples) {
    width = std::max(width, sample.name.size());
  }
  std::string table =
      fmt::format("{:<{}}  {:>6}  {:>17}  {:>17}  {:>13}  {:>4}\n", "NAME", width, "CPU%",
                  "MEMORY / LIMIT", "DISK READ / WRITE", "TASKS / LIMIT", "OOM");
  for (const Sample& sample : samples) {
    const SandboxUsage& usage = sample.usage;
    const auto past = before.find(sample.name);
    const Sample* const since = past != before.end() && past->second.started_us == sample.started_us
                                    ? &past->second
                                    : nullptr;
    table += fmt::format("{:<{}}  {:>6}  {:>17}  {:>17}  {:>13}  {:>4}\n", sample.name, width,
                         CpuText(sample, since),
                         SizeText(MemoryInUse(usage)) + " / " + SizeText(usage.memory_limit_bytes),
                         SizeText(usage.io_read_bytes) + " / " + SizeText(usage.io_written_bytes),
                         CountText(usage.tasks) + " / " + CountText(usage.tasks_limit),
                         CountText(usage.oom_kills));
  }
  return table;
}

std::string JsonOf(const std::vector<Sample>& samples) {
  std::vector<std::string> texts;
  std::ranges::transform(samples, std::back_inserter(texts), [](const Sample& sample) {
    return WriteSandboxUsage(sample.name, sample.usage);
  });
  return fmt::format("[{}]\n", Join(texts, ","));
}

int Stats(const StatsOptions& options) {
  constexpr std::chrono::seconds kPause{1};
  const bool redraws = options.mode == StatsMode::kLive && options.format == StatsFormat::kTable &&
                       ::isatty(STDOUT_FILENO) != 0;
  std::map<std::string, Sample> before;
  for (bool first = true;; first = false) {
    const Expected<std::vector<SandboxState>> states = InspectSandboxes(options.name);
    if (!states) {
      // The one that was watched has ended.
      return !first && states.error().code == ErrorCode::kNotFound ? kOk
                                                                   : ReportError(states.error());
    }
    std::vector<Sample> samples;
    for (const SandboxState& state : *states) {
      samples.push_back(Measure(state));
    }
    const std::string text =
        options.format == StatsFormat::kJson ? JsonOf(samples) : TableOf(samples, before);
    const int printed = PrintDocument((redraws ? "\033[H\033[J" : "") + text, kOk);
    if (printed != kOk || options.mode == StatsMode::kOnce) {
      return printed;
    }
    before.clear();
    for (Sample& sample : samples) {
      before.emplace(sample.name, std::move(sample));
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

void AddStatsCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<StatsOptions>();
  CLI::App* stats = app.add_subcommand("stats", "What running sandboxes use, every second anew");
  stats->add_option("NAME", options->name, "Of the sandbox (default: all)");
  stats->add_flag_callback("--no-stream", [options] { options->mode = StatsMode::kOnce; }, "Once");
  stats->add_flag_callback(
      "--json", [options] { options->format = StatsFormat::kJson; },
      "As a JSON array, one in a line each time");
  stats->callback([options, &exit_code] { exit_code = Stats(*options); });
}

}  // namespace cordon::cli
