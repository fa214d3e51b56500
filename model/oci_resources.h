#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cordon {

/// One rule about devices (linux.resources.devices): later ones win.
struct OciDeviceRule {
  bool allow = false;
  char type = 'a';                     ///< 'a', 'b' or 'c'
  std::optional<std::uint32_t> major;  ///< nothing: all
  std::optional<std::uint32_t> minor;
  std::string access = "rwm";
  bool operator==(const OciDeviceRule&) const = default;
};

struct OciDeviceWeight {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::optional<std::uint16_t> weight;
  std::optional<std::uint16_t> leaf_weight;
  bool operator==(const OciDeviceWeight&) const = default;
};

struct OciDeviceRate {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::uint64_t rate = 0;  ///< per second; 0: none
  bool operator==(const OciDeviceRate&) const = default;
};

struct OciRdmaLimit {
  std::optional<std::uint32_t> handles;
  std::optional<std::uint32_t> objects;
  bool operator==(const OciRdmaLimit&) const = default;
};

/// linux.resources of an OCI configuration (runtime-spec 1.2). Nothing, and 0 where 0 could be no
/// limit: it stays as it is. -1: lifted.
struct OciResources {
  std::vector<OciDeviceRule> devices;

  std::optional<std::int64_t> memory_limit;
  std::optional<std::int64_t> memory_reservation;
  std::optional<std::int64_t> memory_swap;  ///< memory and swap together
  std::optional<std::int64_t> memory_kernel;
  std::optional<std::int64_t> memory_kernel_tcp;
  std::optional<std::uint64_t> memory_swappiness;
  std::optional<bool> memory_disable_oom_killer;
  std::optional<bool> memory_use_hierarchy;
  std::optional<bool> memory_check_before_update;

  std::optional<std::uint64_t> cpu_shares;
  std::optional<std::int64_t> cpu_quota;  ///< microseconds in each period
  std::optional<std::uint64_t> cpu_burst;
  std::optional<std::uint64_t> cpu_period;
  std::optional<std::int64_t> cpu_realtime_runtime;
  std::optional<std::uint64_t> cpu_realtime_period;
  std::string cpuset_cpus;
  std::string cpuset_mems;
  std::optional<std::int64_t> cpu_idle;

  std::optional<std::int64_t> pids_limit;

  std::optional<std::uint16_t> io_weight;
  std::optional<std::uint16_t> io_leaf_weight;
  std::vector<OciDeviceWeight> io_device_weights;
  std::vector<OciDeviceRate> read_bps;
  std::vector<OciDeviceRate> write_bps;
  std::vector<OciDeviceRate> read_iops;
  std::vector<OciDeviceRate> write_iops;

  std::map<std::string, std::uint64_t> hugepage_limits;  ///< "2MB" -> bytes
  std::optional<std::uint32_t> network_class;
  std::map<std::string, std::uint32_t> network_priorities;  ///< by interface
  std::map<std::string, OciRdmaLimit> rdma;                 ///< by device
  std::map<std::string, std::string> unified;               ///< file of a v2 cgroup -> value

  bool operator==(const OciResources&) const = default;
};

}  // namespace cordon
