#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cordon {

/// A limit that is lifted, where it was not merely left as it is.
inline constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

struct DeviceNumber {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  auto operator<=>(const DeviceNumber&) const = default;
};

/// Most bytes or operations in a second that one block device does for the sandbox.
struct DeviceRate {
  DeviceNumber device;
  std::uint64_t rate = 0;  ///< at least 1; kUnlimited: no limit
  bool operator==(const DeviceRate&) const = default;
};

enum class DeviceKind : std::uint8_t { kAny, kBlock, kCharacter };

/// What may be done to a device: bits as BPF_DEVCG_ACC_* (linux/bpf.h) has them.
inline constexpr std::uint8_t kMakeDevice = 1;
inline constexpr std::uint8_t kReadDevice = 2;
inline constexpr std::uint8_t kWriteDevice = 4;
inline constexpr std::uint8_t kAnyDeviceAccess = kMakeDevice | kReadDevice | kWriteDevice;

enum class DeviceAnswer : std::uint8_t { kDeny, kAllow };

/// One rule of a list (OCI linux.resources.devices): a later one that fits wins over an earlier
/// one, for each bit of `access` by itself.
struct DeviceRule {
  DeviceAnswer answer = DeviceAnswer::kDeny;
  DeviceKind kind = DeviceKind::kAny;
  std::optional<std::uint32_t> major;  ///< nothing: every one
  std::optional<std::uint32_t> minor;
  std::uint8_t access = kAnyDeviceAccess;
  bool operator==(const DeviceRule&) const = default;
};

/// What the cgroups of a sandbox hold it to (OCI linux.resources). Nothing means: not limited.
struct ResourceLimits {
  std::optional<std::uint64_t> memory_bytes;
  /// Memory and swap together; nothing: as much as memory_bytes, which leaves no swap.
  std::optional<std::uint64_t> memory_swap_bytes;
  /// What the kernel leaves to the sandbox while others have more than theirs.
  std::optional<std::uint64_t> memory_reservation_bytes;
  std::optional<std::uint64_t> cpu_quota_us;  ///< per cpu_period_us
  std::uint64_t cpu_period_us = 100000;
  std::optional<std::uint64_t> cpu_shares;  ///< 2..262144; who is given none has 1024
  std::string cpuset_cpus;                  ///< "0-2,7"; empty: all
  std::string cpuset_mems;                  ///< memory nodes, likewise
  std::optional<std::uint64_t> pids;        ///< tasks, without the sandbox's own first process
  std::optional<std::uint64_t> io_weight;   ///< 10..1000; who is given none has 100
  std::vector<DeviceRate> read_bps;
  std::vector<DeviceRate> write_bps;
  std::vector<DeviceRate> read_iops;
  std::vector<DeviceRate> write_iops;
  std::vector<DeviceRule> devices;  ///< empty: not limited; else what fits none is denied
  std::map<std::string, std::string> unified;  ///< file of a v2 cgroup ("memory.high") -> value
  bool operator==(const ResourceLimits&) const = default;
};

/// `current` with what `change` names in place of its own; rates by device.
ResourceLimits ChangeLimits(const ResourceLimits& current, const ResourceLimits& change);

}  // namespace cordon
