#include "cli/limit_options.h"

#include <array>
#include <optional>
#include <utility>

#include "cli/parse_run_values.h"

namespace cordon::cli {
namespace {

struct SizeOption {
  const char* name;
  std::string LimitOptions::* text;
  std::optional<std::uint64_t> ResourceLimits::* limit;
};

constexpr std::array<SizeOption, 3> kSizes{{
    {"--memory", &LimitOptions::memory, &ResourceLimits::memory_bytes},
    {"--memory-swap", &LimitOptions::memory_swap, &ResourceLimits::memory_swap_bytes},
    {"--memory-reservation", &LimitOptions::memory_reservation,
     &ResourceLimits::memory_reservation_bytes},
}};

struct RateOption {
  const char* name;
  const char* help;
  std::vector<std::string> LimitOptions::* texts;
  std::vector<DeviceRate> ResourceLimits::* rates;
};

constexpr std::array<RateOption, 4> kRates{{
    {"--device-read-bps", "Most bytes a second read from a block device", &LimitOptions::read_bps,
     &ResourceLimits::read_bps},
    {"--device-write-bps", "Most bytes a second written to it", &LimitOptions::write_bps,
     &ResourceLimits::write_bps},
    {"--device-read-iops", "Most reads a second", &LimitOptions::read_iops,
     &ResourceLimits::read_iops},
    {"--device-write-iops", "Most writes a second", &LimitOptions::write_iops,
     &ResourceLimits::write_iops},
}};

Status ParseCpuLimits(const LimitOptions& options, ResourceLimits& limits) {
  if (!options.cpus.empty()) {
    ASSIGN_OR_RETURN(limits.cpu_quota_us, ParseCpus(options.cpus, limits.cpu_period_us));
  }
  if (!options.cpu_shares.empty()) {
    ASSIGN_OR_RETURN(limits.cpu_shares,
                     ParseNumber("--cpu-shares", options.cpu_shares, 2, 262'144));
  }
  if (!options.cpu_weight.empty()) {
    ASSIGN_OR_RETURN(const std::uint64_t weight,
                     ParseNumber("--cpu-weight", options.cpu_weight, 1, 10'000));
    // A weight of 100 is what 1024 shares are: everybody's.
    limits.cpu_shares = (weight * 1024 + 50) / 100;
  }
  limits.cpuset_cpus = options.cpuset_cpus;
  limits.cpuset_mems = options.cpuset_mems;
  return {};
}

}  // namespace

void AddLimitOptions(CLI::App& command, LimitOptions& options) {
  const auto add = [&](const char* name, std::string& into, const char* help, const char* type) {
    return command.add_option(name, into, help)->type_name(type)->group("Limits");
  };
  add("--memory", options.memory, "Most memory: 256M, 1G; swap only with --memory-swap", "SIZE");
  add("--memory-swap", options.memory_swap, "Most memory and swap together", "SIZE");
  add("--memory-reservation", options.memory_reservation,
      "Memory that is left to it while others have more than theirs", "SIZE");
  add("--memory-high", options.memory_high, "Memory over which it is slowed down (cgroup v2)",
      "SIZE");
  add("--cpus", options.cpus, "Most processor time, in processors: 1.5", "N");
  CLI::Option* const shares =
      add("--cpu-shares", options.cpu_shares, "Its part where processors are short, of 1024", "N");
  add("--cpu-weight", options.cpu_weight, "The same, of 100: 1 to 10000", "N")->excludes(shares);
  add("--cpuset-cpus", options.cpuset_cpus, "Processors that it may run on: 0-2,7", "LIST");
  add("--cpuset-mems", options.cpuset_mems, "Memory nodes that it may use", "LIST");
  add("--pids", options.pids, "Most tasks", "N");
  add("--io-weight", options.io_weight, "Its part where a disk is short, of 100: 10 to 1000", "N");
  for (const RateOption& rate : kRates) {
    command.add_option(rate.name, options.*rate.texts, rate.help)
        ->type_name("DEVICE:RATE")
        ->group("Limits")
        ->allow_extra_args(false);
  }
}

Expected<ResourceLimits> ParseLimits(const LimitOptions& options) {
  ResourceLimits limits;
  for (const SizeOption& size : kSizes) {
    if (!(options.*size.text).empty()) {
      ASSIGN_OR_RETURN(limits.*size.limit, ParseSize(size.name, options.*size.text));
    }
  }
  if (!options.memory_high.empty()) {
    ASSIGN_OR_RETURN(const std::uint64_t bytes, ParseSize("--memory-high", options.memory_high));
    limits.unified["memory.high"] = bytes == kUnlimited ? "max" : std::to_string(bytes);
  }
  RETURN_IF_ERROR(ParseCpuLimits(options, limits));
  if (!options.pids.empty()) {
    ASSIGN_OR_RETURN(limits.pids, ParsePids(options.pids));
  }
  if (!options.io_weight.empty()) {
    ASSIGN_OR_RETURN(limits.io_weight, ParseNumber("--io-weight", options.io_weight, 10, 1000));
  }
  for (const RateOption& option : kRates) {
    for (const std::string& text : options.*option.texts) {
      ASSIGN_OR_RETURN(const DeviceRate rate, ParseDeviceRate(option.name, text));
      (limits.*option.rates).push_back(rate);
    }
  }
  return limits;
}

}  // namespace cordon::cli
