#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace cordon {

/// What a running sandbox uses, as its cgroups say; what they do not, its processes. Nothing: not
/// known.
struct SandboxUsage {
  std::optional<std::uint64_t> cpu_us;                      ///< processor time since it began
  std::optional<std::uint64_t> throttled_us;                ///< that its quota kept it waiting
  std::optional<std::uint64_t> memory_bytes;                ///< with what its files have in memory
  std::optional<std::uint64_t> memory_inactive_file_bytes;  ///< of that, given back when asked for
  std::optional<std::uint64_t> memory_peak_bytes;
  std::optional<std::uint64_t> memory_limit_bytes;
  std::optional<std::uint64_t> swap_bytes;
  std::optional<std::uint64_t> oom_kills;  ///< processes killed for want of memory
  std::optional<std::uint64_t> tasks;
  std::optional<std::uint64_t> tasks_limit;
  std::optional<std::uint64_t> tasks_refused;  ///< forks that failed at the limit
  std::optional<std::uint64_t> io_read_bytes;  ///< of block devices
  std::optional<std::uint64_t> io_written_bytes;
  bool operator==(const SandboxUsage&) const = default;
};

/// As a JSON object in one line, without what is not known; `cordon stats --json` prints it.
std::string WriteSandboxUsage(const std::string& name, const SandboxUsage& usage);

}  // namespace cordon
