#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "common/error.h"
#include "model/resource_limits.h"

namespace cordon::cli {

/// The limits of a sandbox as `run` and `update` take them on the command line; what is empty was
/// not given.
struct LimitOptions {
  std::string memory;
  std::string memory_swap;
  std::string memory_reservation;
  std::string memory_high;
  std::string cpus;
  std::string cpu_shares;
  std::string cpu_weight;
  std::string cpuset_cpus;
  std::string cpuset_mems;
  std::string pids;
  std::string io_weight;
  std::vector<std::string> read_bps;
  std::vector<std::string> write_bps;
  std::vector<std::string> read_iops;
  std::vector<std::string> write_iops;
};

/// Adds the options to `command`; `options` must live as long.
void AddLimitOptions(CLI::App& command, LimitOptions& options);

/// The limits that were given, and nothing else. Fails with kInvalidInput naming the option.
Expected<ResourceLimits> ParseLimits(const LimitOptions& options);

}  // namespace cordon::cli
