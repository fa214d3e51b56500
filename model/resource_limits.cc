#include "model/resource_limits.h"

#include <algorithm>

namespace cordon {
namespace {

template <typename Value>
void Change(std::optional<Value>& current, const std::optional<Value>& change) {
  if (change) {
    current = change;
  }
}

void Change(std::string& current, const std::string& change) {
  if (!change.empty()) {
    current = change;
  }
}

void Change(std::vector<DeviceRate>& current, const std::vector<DeviceRate>& change) {
  for (const DeviceRate& rate : change) {
    std::erase_if(current, [&](const DeviceRate& old) { return old.device == rate.device; });
    current.push_back(rate);
  }
}

}  // namespace

ResourceLimits ChangeLimits(const ResourceLimits& current, const ResourceLimits& change) {
  ResourceLimits limits = current;
  Change(limits.memory_bytes, change.memory_bytes);
  Change(limits.memory_swap_bytes, change.memory_swap_bytes);
  Change(limits.memory_reservation_bytes, change.memory_reservation_bytes);
  if (change.cpu_quota_us) {
    limits.cpu_quota_us = change.cpu_quota_us;
    limits.cpu_period_us = change.cpu_period_us;
  }
  Change(limits.cpu_shares, change.cpu_shares);
  Change(limits.cpuset_cpus, change.cpuset_cpus);
  Change(limits.cpuset_mems, change.cpuset_mems);
  Change(limits.pids, change.pids);
  Change(limits.io_weight, change.io_weight);
  Change(limits.read_bps, change.read_bps);
  Change(limits.write_bps, change.write_bps);
  Change(limits.read_iops, change.read_iops);
  Change(limits.write_iops, change.write_iops);
  if (!change.devices.empty()) {
    limits.devices = change.devices;
  }
  for (const auto& [file, value] : change.unified) {
    limits.unified[file] = value;
  }
  return limits;
}

}  // namespace cordon
