#include "runtime/cgroup_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "common/text.h"
#include "runtime/device_rules.h"

namespace cordon {
namespace {

using Rule = CgroupStep::Rule;
using Writes = std::vector<CgroupStep::Write>;

/// One kind of limit: the files of both cgroup versions.
struct LimitKind {
  std::string_view controller;     ///< of v1
  std::string_view v2_controller;  ///< empty: needs none there
  std::string option;              ///< for messages
  LimitOrigin origin = LimitOrigin::kNone;
  Writes v1;
  Writes v2;
  std::string only_v2;  ///< what v1 has no file for; empty: it has all
};

/// A limit of v1, where -1 lifts it.
std::string V1Number(std::uint64_t value) {
  return value == kUnlimited ? "-1" : std::to_string(value);
}

std::string V2Number(std::uint64_t value) {
  return value == kUnlimited ? "max" : std::to_string(value);
}

Status CheckSwap(const ResourceLimits& limits) {
  if (limits.memory_swap_bytes && !limits.memory_bytes) {
    return Fail(InvalidInput("--memory-swap limits memory and swap together: give --memory too"));
  }
  if (limits.memory_swap_bytes && *limits.memory_swap_bytes < *limits.memory_bytes) {
    return Fail(InvalidInput(
        fmt::format("--memory-swap limits memory and swap together: {} is less than --memory, {}",
                    V1Number(*limits.memory_swap_bytes), V1Number(*limits.memory_bytes))));
  }
  return {};
}

Expected<LimitKind> MemoryKind(const ResourceLimits& limits, LimitOrigin origin) {
  LimitKind kind{"memory", "memory", "--memory", origin, {}, {}, {}};
  RETURN_IF_ERROR(CheckSwap(limits));
  if (limits.memory_bytes) {
    // Without the swap limit the memory limit only moves pages to swap.
    const std::uint64_t both = limits.memory_swap_bytes.value_or(*limits.memory_bytes);
    const std::uint64_t swap = both == kUnlimited ? kUnlimited : both - *limits.memory_bytes;
    kind.v1 = {{"memory.limit_in_bytes", V1Number(*limits.memory_bytes)},
               {"memory.memsw.limit_in_bytes", V1Number(both), Rule::kWhereThere}};
    kind.v2 = {{"memory.max", V2Number(*limits.memory_bytes)},
               {"memory.swap.max", V2Number(swap), Rule::kWhereThere}};
  }
  if (limits.memory_reservation_bytes) {
    kind.v1.push_back({"memory.soft_limit_in_bytes", V1Number(*limits.memory_reservation_bytes)});
    kind.v2.push_back({"memory.low", V2Number(*limits.memory_reservation_bytes)});
  }
  return kind;
}

LimitKind CpuKind(const ResourceLimits& limits, LimitOrigin origin) {
  LimitKind kind{"cpu", "cpu", "--cpus", origin, {}, {}, {}};
  if (limits.cpu_quota_us) {
    const std::string period = std::to_string(limits.cpu_period_us);
    kind.v1 = {{"cpu.cfs_period_us", period}, {"cpu.cfs_quota_us", V1Number(*limits.cpu_quota_us)}};
    kind.v2 = {{"cpu.max", V2Number(*limits.cpu_quota_us) + " " + period}};
  }
  if (limits.cpu_shares) {
    kind.v1.push_back({"cpu.shares", std::to_string(*limits.cpu_shares)});
    kind.v2.push_back({"cpu.weight", std::to_string(WeightOfShares(*limits.cpu_shares))});
  }
  return kind;
}

/// "0-2,7".
bool IsNumberList(std::string_view text) {
  const std::vector<std::string> parts = Split(text, ',');
  return std::ranges::all_of(parts, [](const std::string& part) {
    const std::vector<std::string> ends = Split(part, '-');
    const auto first = ParseUnsigned(ends.front());
    const auto last = ParseUnsigned(ends.back());
    return ends.size() <= 2 && first && last && *first <= *last && *last < 65536;
  });
}

Expected<LimitKind> CpusetKind(const ResourceLimits& limits, LimitOrigin origin) {
  LimitKind kind{"cpuset", "cpuset", "--cpuset-cpus", origin, {}, {}, {}};
  const std::array<std::pair<std::string_view, const std::string*>, 2> files{
      {{"cpuset.cpus", &limits.cpuset_cpus}, {"cpuset.mems", &limits.cpuset_mems}}};
  for (const auto& [file, list] : files) {
    if (!list->empty() && !IsNumberList(*list)) {
      return Fail(InvalidInput(
          fmt::format("{}: {}: expected numbers and ranges such as 0-2,7", file, Quote(*list))));
    }
    // v1 takes no process before both are there (cpusets(7)).
    kind.v1.push_back({std::string(file), *list, list->empty() ? Rule::kAsParent : Rule::kAlways});
    if (!list->empty()) {
      kind.v2.push_back({std::string(file), *list});
    }
  }
  return kind;
}

LimitKind PidsKind(const ResourceLimits& limits, LimitOrigin origin) {
  // One more for the sandbox's own first process.
  const std::uint64_t asked = limits.pids.value_or(kUnlimited);
  const std::uint64_t tasks = asked == kUnlimited ? kUnlimited : asked + 1;
  return {"pids",
          "pids",
          "--pids",
          origin,
          {{"pids.max", V2Number(tasks)}},
          {{"pids.max", V2Number(tasks)}},
          {}};
}

struct RateFile {
  std::vector<DeviceRate> ResourceLimits::* rates;
  std::string_view v1;
  std::string_view v2_key;  ///< in io.max
};

constexpr std::array<RateFile, 4> kRateFiles{{
    {&ResourceLimits::read_bps, "blkio.throttle.read_bps_device", "rbps"},
    {&ResourceLimits::write_bps, "blkio.throttle.write_bps_device", "wbps"},
    {&ResourceLimits::read_iops, "blkio.throttle.read_iops_device", "riops"},
    {&ResourceLimits::write_iops, "blkio.throttle.write_iops_device", "wiops"},
}};

LimitKind IoKind(const ResourceLimits& limits, LimitOrigin origin) {
  LimitKind kind{"blkio", "io", "--io-weight and --device-read-bps", origin, {}, {}, {}};
  if (limits.io_weight) {
    const std::string weight = std::to_string(*limits.io_weight);
    kind.v1.push_back({"blkio.bfq.weight|blkio.weight", weight});
    kind.v2.push_back({"io.bfq.weight|io.weight", weight});
  }
  for (const RateFile& file : kRateFiles) {
    for (const DeviceRate& rate : limits.*file.rates) {
      const std::string device = fmt::format("{}:{}", rate.device.major, rate.device.minor);
      // blkio-controller.rst: 0 removes the rule.
      kind.v1.push_back({std::string(file.v1),
                         fmt::format("{} {}", device, rate.rate == kUnlimited ? 0 : rate.rate)});
      kind.v2.push_back(
          {"io.max", fmt::format("{} {}={}", device, file.v2_key, V2Number(rate.rate))});
    }
  }
  return kind;
}

Expected<std::vector<LimitKind>> WantedLimits(const ResourceLimits& limits,
                                              const LimitOrigins& origins) {
  std::vector<LimitKind> kinds;
  if (limits.memory_bytes || limits.memory_swap_bytes || limits.memory_reservation_bytes) {
    ASSIGN_OR_RETURN(LimitKind kind, MemoryKind(limits, origins.memory));
    kinds.push_back(std::move(kind));
  }
  if (limits.cpu_quota_us || limits.cpu_shares) {
    kinds.push_back(CpuKind(limits, origins.cpu));
  }
  if (!limits.cpuset_cpus.empty() || !limits.cpuset_mems.empty()) {
    ASSIGN_OR_RETURN(LimitKind kind, CpusetKind(limits, origins.cpuset));
    kinds.push_back(std::move(kind));
  }
  if (limits.pids) {
    kinds.push_back(PidsKind(limits, origins.pids));
  }
  if (LimitKind kind = IoKind(limits, origins.io); !kind.v1.empty()) {
    kinds.push_back(std::move(kind));
  }
  for (const auto& [file, value] : limits.unified) {
    const std::string_view controller = std::string_view(file).substr(0, file.find('.'));
    kinds.push_back({controller == "io" ? "blkio" : controller,
                     controller,
                     file == "memory.high" ? "--memory-high" : file,
                     origins.unified,
                     {},
                     {{file, value}},
                     file});
  }
  if (!limits.devices.empty()) {
    ASSIGN_OR_RETURN(Writes writes, DeviceWritesOfV1(limits.devices));
    kinds.push_back({"devices", "", "--device", origins.devices, std::move(writes), {}, {}});
  }
  return kinds;
}

/// The step of the hierarchy that has `controller` on v1, or of v2. Controllers mounted together
/// share one folder.
CgroupStep& StepAt(std::vector<CgroupStep>& steps, CgroupVersion version,
                   const std::string& controller, const CgroupLayout& layout) {
  const bool is_v1 = version == CgroupVersion::kV1;
  const std::string& parent = is_v1 ? layout.v1.at(controller) : *layout.v2;
  const auto same = std::ranges::find(steps, parent, &CgroupStep::parent);
  if (same != steps.end()) {
    return *same;
  }
  CgroupStep& step = steps.emplace_back();
  step.version = version;
  step.placement = layout.placement;
  step.parent = parent;
  step.root = is_v1 ? layout.v1_roots.at(controller) : *layout.v2_root;
  return step;
}

void AddTo(CgroupStep& step, std::string_view controller, const Writes& writes,
           LimitOrigin origin) {
  if (!controller.empty() &&
      std::ranges::find(step.controllers, controller) == step.controllers.end()) {
    step.controllers.emplace_back(controller);
  }
  step.writes.insert(step.writes.end(), writes.begin(), writes.end());
  step.origin = std::max(step.origin, origin);
}

}  // namespace

Expected<CgroupPlan> PlanCgroups(const ResourceLimits& limits, const LimitOrigins& origins,
                                 const CgroupLayout& layout) {
  ASSIGN_OR_RETURN(const std::vector<LimitKind> kinds, WantedLimits(limits, origins));
  CgroupPlan plan;
  for (const LimitKind& kind : kinds) {
    const std::string controller(kind.controller);
    if (const auto v1 = layout.v1.find(controller); v1 != layout.v1.end()) {
      if (!kind.only_v2.empty()) {
        plan.unheld.push_back(
            {controller, kind.option, kind.origin, "cgroup v1 has nothing like " + kind.only_v2});
        continue;
      }
      AddTo(StepAt(plan.steps, CgroupVersion::kV1, controller, layout), controller, kind.v1,
            kind.origin);
    } else if (layout.v2) {
      CgroupStep& step = StepAt(plan.steps, CgroupVersion::kV2, {}, layout);
      AddTo(step, kind.v2_controller, kind.v2, kind.origin);
      if (controller == "devices") {
        step.devices = limits.devices;
      }
    } else {
      plan.unheld.push_back(
          {controller, kind.option, kind.origin,
           fmt::format("no cgroup hierarchy with the {} controller is mounted", controller)});
    }
  }
  // A sandbox that has a cgroup can be paused. v2 needs no controller for that.
  if (!plan.steps.empty() && layout.v1.contains("freezer")) {
    AddTo(StepAt(plan.steps, CgroupVersion::kV1, "freezer", layout), "freezer", {},
          LimitOrigin::kNone);
  }
  return plan;
}

std::uint64_t WeightOfShares(std::uint64_t shares) {
  constexpr std::uint64_t kShares = 1024;
  constexpr std::uint64_t kWeight = 100;
  return std::clamp<std::uint64_t>(((shares * kWeight) + (kShares / 2)) / kShares, 1, 10000);
}

LimitOrigins OriginsOfChange(const ResourceLimits& change) {
  const auto origin = [](bool asked) {
    return asked ? LimitOrigin::kAsked : LimitOrigin::kProposed;
  };
  return {
      .memory = origin(change.memory_bytes || change.memory_swap_bytes ||
                       change.memory_reservation_bytes),
      .cpu = origin(change.cpu_quota_us || change.cpu_shares),
      .cpuset = origin(!change.cpuset_cpus.empty() || !change.cpuset_mems.empty()),
      .pids = origin(change.pids.has_value()),
      .io = origin(change.io_weight || !change.read_bps.empty() || !change.write_bps.empty() ||
                   !change.read_iops.empty() || !change.write_iops.empty()),
      .devices = origin(!change.devices.empty()),
      .unified = origin(!change.unified.empty()),
  };
}

}  // namespace cordon
