#include "runtime/oci_cgroup_writes.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string_view>

namespace cordon {
namespace {

/// Collects the writes.
class Writes {
 public:
  explicit Writes(const OciControllers& controllers) : controllers_(controllers) {}

  bool is_v1(std::string_view controller) const {
    return controllers_.v1.contains(std::string(controller));
  }

  bool has_v2() const { return controllers_.has_v2; }

  void Add(std::string_view controller, std::string_view file, std::string value) {
    list_.push_back({std::string(controller), std::string(file), std::move(value)});
  }

  /// In a file of v1 or of v2; an empty name: that version has none.
  Status AddEither(std::string_view controller, std::string_view v1, std::string_view v2,
                   const std::string& value, std::string_view what) {
    const std::string_view file = is_v1(controller) ? v1 : v2;
    if (file.empty()) {
      return Fail(
          MakeError(ErrorCode::kUnsupported,
                    fmt::format("linux.resources: {} cannot be held: there is no cgroup v1 of {}",
                                what, controller)));
    }
    Add(controller, file, value);
    return {};
  }

  std::vector<OciCgroupWrite> Take() { return std::move(list_); }

 private:
  const OciControllers& controllers_;
  std::vector<OciCgroupWrite> list_;
};

std::string LimitText(std::int64_t limit, const Writes& writes) {
  return limit < 0 ? (writes.is_v1("memory") ? "-1" : "max") : std::to_string(limit);
}

/// Engines write 0 for what nobody asked for.
template <typename Value>
Value Given(const std::optional<Value>& value) {
  return value.value_or(0);
}

Status AddMemory(const OciResources& resources, Writes& writes) {
  if (const auto limit = Given(resources.memory_limit); limit != 0) {
    writes.Add("memory", writes.is_v1("memory") ? "memory.limit_in_bytes" : "memory.max",
               LimitText(limit, writes));
  }
  if (const auto swap = Given(resources.memory_swap); swap != 0) {
    if (writes.is_v1("memory")) {
      writes.Add("memory", "memory.memsw.limit_in_bytes", LimitText(swap, writes));
    } else {
      // v2 counts swap by itself.
      const std::int64_t limit = Given(resources.memory_limit);
      if (swap >= 0 && (limit == 0 || limit > swap)) {
        return Fail(InvalidInput(
            "linux.resources.memory: swap counts both and needs a limit that is not above it"));
      }
      writes.Add("memory", "memory.swap.max", swap < 0 ? "max" : std::to_string(swap - limit));
    }
  }
  if (const auto reservation = Given(resources.memory_reservation); reservation != 0) {
    writes.Add("memory", writes.is_v1("memory") ? "memory.soft_limit_in_bytes" : "memory.low",
               LimitText(reservation, writes));
  }
  if (const auto kernel_tcp = Given(resources.memory_kernel_tcp); kernel_tcp != 0) {
    RETURN_IF_ERROR(writes.AddEither("memory", "memory.kmem.tcp.limit_in_bytes", "",
                                     LimitText(kernel_tcp, writes), "memory.kernelTCP"));
  }
  if (const auto kernel = Given(resources.memory_kernel); kernel != 0) {
    RETURN_IF_ERROR(writes.AddEither("memory", "memory.kmem.limit_in_bytes", "",
                                     LimitText(kernel, writes), "memory.kernel"));
  }
  if (resources.memory_swappiness) {
    RETURN_IF_ERROR(writes.AddEither("memory", "memory.swappiness", "",
                                     std::to_string(*resources.memory_swappiness),
                                     "memory.swappiness"));
  }
  if (resources.memory_disable_oom_killer.value_or(false)) {
    RETURN_IF_ERROR(
        writes.AddEither("memory", "memory.oom_control", "", "1", "memory.disableOOMKiller"));
  } else if (resources.memory_disable_oom_killer && writes.is_v1("memory")) {
    writes.Add("memory", "memory.oom_control", "0");
  }
  // Since Linux 5.11 there is nothing else.
  if (resources.memory_use_hierarchy.value_or(false) && writes.is_v1("memory")) {
    writes.Add("memory", "memory.use_hierarchy", "1");
  }
  return {};
}

Status AddCpu(const OciResources& resources, Writes& writes) {
  if (const auto shares = Given(resources.cpu_shares); shares != 0) {
    // 2..262144 to 1..10000, as every runtime does it.
    writes.Add("cpu", writes.is_v1("cpu") ? "cpu.shares" : "cpu.weight",
               std::to_string(writes.is_v1("cpu")
                                  ? shares
                                  : 1 + (std::max<std::uint64_t>(shares, 2) - 2) * 9999 / 262142));
  }
  if (writes.is_v1("cpu")) {
    // The period first: the new quota may be more than all of the old one.
    if (const auto period = Given(resources.cpu_period); period != 0) {
      writes.Add("cpu", "cpu.cfs_period_us", std::to_string(period));
    }
    if (const auto quota = Given(resources.cpu_quota); quota != 0) {
      writes.Add("cpu", "cpu.cfs_quota_us", std::to_string(quota));
    }
  } else if (Given(resources.cpu_quota) != 0 || Given(resources.cpu_period) != 0) {
    const std::int64_t quota = Given(resources.cpu_quota);
    const std::uint64_t period = Given(resources.cpu_period);
    writes.Add("cpu", "cpu.max",
               fmt::format("{}{}", quota > 0 ? std::to_string(quota) : "max",
                           period != 0 ? " " + std::to_string(period) : std::string()));
  }
  if (const auto burst = Given(resources.cpu_burst); burst != 0) {
    writes.Add("cpu", writes.is_v1("cpu") ? "cpu.cfs_burst_us" : "cpu.max.burst",
               std::to_string(burst));
  }
  if (const auto realtime_period = Given(resources.cpu_realtime_period); realtime_period != 0) {
    RETURN_IF_ERROR(writes.AddEither("cpu", "cpu.rt_period_us", "", std::to_string(realtime_period),
                                     "cpu.realtimePeriod"));
  }
  if (const auto realtime_runtime = Given(resources.cpu_realtime_runtime); realtime_runtime != 0) {
    RETURN_IF_ERROR(writes.AddEither("cpu", "cpu.rt_runtime_us", "",
                                     std::to_string(realtime_runtime), "cpu.realtimeRuntime"));
  }
  if (resources.cpu_idle) {
    writes.Add("cpu", "cpu.idle", std::to_string(*resources.cpu_idle));
  }
  if (!resources.cpuset_cpus.empty()) {
    writes.Add("cpuset", "cpuset.cpus", resources.cpuset_cpus);
  }
  if (!resources.cpuset_mems.empty()) {
    writes.Add("cpuset", "cpuset.mems", resources.cpuset_mems);
  }
  return {};
}

struct RateFile {
  std::vector<OciDeviceRate> OciResources::* rates;
  std::string_view v1;
  std::string_view v2;  ///< a key of io.max
};

constexpr std::array<RateFile, 4> kRateFiles{{
    {&OciResources::read_bps, "blkio.throttle.read_bps_device", "rbps"},
    {&OciResources::write_bps, "blkio.throttle.write_bps_device", "wbps"},
    {&OciResources::read_iops, "blkio.throttle.read_iops_device", "riops"},
    {&OciResources::write_iops, "blkio.throttle.write_iops_device", "wiops"},
}};

/// 10..1000 of v1 as io.weight has it, 1..10000.
std::uint64_t IoWeight(std::uint16_t weight) {
  return 1 + (std::max<std::uint64_t>(weight, 10) - 10) * 9999 / 990;
}

Status AddDeviceWeights(const OciResources& resources, Writes& writes) {
  const bool is_v1 = writes.is_v1("blkio");
  for (const OciDeviceWeight& device : resources.io_device_weights) {
    if (const auto weight = Given(device.weight); weight != 0) {
      writes.Add(
          is_v1 ? "blkio" : "io",
          is_v1 ? "blkio.weight_device|blkio.bfq.weight_device" : "io.weight",
          fmt::format("{}:{} {}", device.major, device.minor, is_v1 ? weight : IoWeight(weight)));
    }
    if (const auto leaf_weight = Given(device.leaf_weight); leaf_weight != 0) {
      RETURN_IF_ERROR(
          writes.AddEither("blkio", "blkio.leaf_weight_device", "",
                           fmt::format("{}:{} {}", device.major, device.minor, leaf_weight),
                           "blockIO.weightDevice.leafWeight"));
    }
  }
  return {};
}

void AddRates(const OciResources& resources, Writes& writes) {
  const bool is_v1 = writes.is_v1("blkio");
  for (const RateFile& file : kRateFiles) {
    for (const OciDeviceRate& device : resources.*file.rates) {
      writes.Add(is_v1 ? "blkio" : "io", is_v1 ? file.v1 : "io.max",
                 is_v1 ? fmt::format("{}:{} {}", device.major, device.minor, device.rate)
                       : fmt::format("{}:{} {}={}", device.major, device.minor, file.v2,
                                     device.rate == 0 ? "max" : std::to_string(device.rate)));
    }
  }
}

Status AddBlockIo(const OciResources& resources, Writes& writes) {
  const bool is_v1 = writes.is_v1("blkio");
  if (const auto weight = Given(resources.io_weight); weight != 0) {
    writes.Add(is_v1 ? "blkio" : "io", is_v1 ? "blkio.weight|blkio.bfq.weight" : "io.weight",
               is_v1 ? std::to_string(weight) : fmt::format("default {}", IoWeight(weight)));
  }
  if (const auto leaf_weight = Given(resources.io_leaf_weight); leaf_weight != 0) {
    RETURN_IF_ERROR(writes.AddEither("blkio", "blkio.leaf_weight", "", std::to_string(leaf_weight),
                                     "blockIO.leafWeight"));
  }
  AddRates(resources, writes);
  return AddDeviceWeights(resources, writes);
}

Status AddOthers(const OciResources& resources, Writes& writes) {
  if (const auto limit = Given(resources.pids_limit); limit != 0) {
    writes.Add("pids", "pids.max", limit > 0 ? std::to_string(limit) : "max");
  }
  for (const auto& [size, limit] : resources.hugepage_limits) {
    writes.Add("hugetlb",
               writes.is_v1("hugetlb") ? fmt::format("hugetlb.{}.limit_in_bytes", size)
                                       : fmt::format("hugetlb.{}.max", size),
               std::to_string(limit));
  }
  if (const auto net_class = Given(resources.network_class); net_class != 0) {
    RETURN_IF_ERROR(writes.AddEither("net_cls", "net_cls.classid", "", std::to_string(net_class),
                                     "network.classID"));
  }
  for (const auto& [interface, priority] : resources.network_priorities) {
    RETURN_IF_ERROR(writes.AddEither("net_prio", "net_prio.ifpriomap", "",
                                     fmt::format("{} {}", interface, priority),
                                     "network.priorities"));
  }
  for (const auto& [device, limit] : resources.rdma) {
    std::string line = device;
    if (limit.handles) {
      line += fmt::format(" hca_handle={}", *limit.handles);
    }
    if (limit.objects) {
      line += fmt::format(" hca_object={}", *limit.objects);
    }
    writes.Add("rdma", "rdma.max", line);
  }
  for (const auto& [file, value] : resources.unified) {
    if (!writes.has_v2()) {
      return Fail(MakeError(ErrorCode::kUnsupported,
                            "linux.resources.unified: there is no cgroup v2 on this host"));
    }
    writes.Add("", file, value);
  }
  return {};
}

std::string DeviceNumber(const std::optional<std::uint32_t>& number) {
  return number ? std::to_string(*number) : "*";
}

OciCgroupWrite DeviceWrite(const OciDeviceRule& rule) {
  const std::string_view file = rule.allow ? "devices.allow" : "devices.deny";
  return {"devices", std::string(file),
          rule.type == 'a' ? std::string("a")
                           : fmt::format("{} {}:{} {}", rule.type, DeviceNumber(rule.major),
                                         DeviceNumber(rule.minor), rule.access)};
}

}  // namespace

Expected<std::vector<OciCgroupWrite>> OciCgroupWrites(const OciResources& resources,
                                                      const OciControllers& controllers) {
  Writes writes(controllers);
  RETURN_IF_ERROR(AddMemory(resources, writes));
  RETURN_IF_ERROR(AddCpu(resources, writes));
  RETURN_IF_ERROR(AddBlockIo(resources, writes));
  RETURN_IF_ERROR(AddOthers(resources, writes));
  return writes.Take();
}

std::vector<OciCgroupWrite> OciDeviceWrites(const std::vector<OciDeviceRule>& rules) {
  std::vector<OciCgroupWrite> writes;
  if (rules.empty()) {
    return writes;
  }
  for (const OciDeviceRule& rule : rules) {
    writes.push_back(DeviceWrite(rule));
  }
  // Nodes may be made of any number: what they open is decided by the other rules.
  constexpr std::array<std::string_view, 11> kDefaults{
      "c *:* m",   "b *:* m",   "c 1:3 rwm", "c 1:5 rwm",   "c 1:7 rwm", "c 1:8 rwm",
      "c 1:9 rwm", "c 5:0 rwm", "c 5:1 rwm", "c 136:* rwm", "c 5:2 rwm"};
  for (const std::string_view line : kDefaults) {
    writes.push_back({"devices", "devices.allow", std::string(line)});
  }
  return writes;
}

}  // namespace cordon
