#include "runtime/oci_policy.h"

#include <fmt/format.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <optional>
#include <set>
#include <string>

#include "common/text.h"
#include "model/combine_filters.h"
#include "runtime/capability_names.h"
#include "runtime/landlock_ruleset.h"
#include "runtime/rlimit_names.h"

namespace cordon {
namespace {

constexpr unsigned long kWaitKillable = 1UL << 5;  // SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV

Expected<std::uint64_t> CapabilityBits(const std::set<std::string>& names) {
  std::uint64_t bits = 0;
  for (const std::string& name : names) {
    const std::optional<unsigned> number = CapabilityNumber(name);
    if (!number) {
      return Fail(InvalidInput("the policy: " + Quote(name) + " is not the name of a capability"));
    }
    bits |= std::uint64_t{1} << *number;
  }
  return bits;
}

Status TightenRlimits(const std::vector<Rlimit>& limits, const HostFeatures& host,
                      OciProcessPlan& plan) {
  for (const Rlimit& wanted : limits) {
    const std::optional<int> resource = RlimitNumber(wanted.type);
    if (!resource) {
      return Fail(
          InvalidInput("the policy: " + Quote(wanted.type) + " is not the name of a limit"));
    }
    auto step = std::ranges::find(plan.rlimits, *resource, &RlimitStep::resource);
    if (step == plan.rlimits.end()) {
      const auto inherited = host.rlimits.find(*resource);
      if (inherited == host.rlimits.end()) {
        continue;
      }
      plan.rlimits.push_back({*resource, inherited->second, wanted.type});
      step = std::prev(plan.rlimits.end());
    }
    step->limit.rlim_max = std::min<rlim_t>(step->limit.rlim_max, wanted.hard);
    step->limit.rlim_cur =
        std::min<rlim_t>({step->limit.rlim_cur, wanted.soft, step->limit.rlim_max});
  }
  return {};
}

Status HoldFiles(const SandboxConfig& policy, const HostFeatures& host, OciProcessPlan& plan) {
  if (!policy.landlock) {
    const bool by_selinux =
        host.selinux == SelinuxState::kEnforcing && plan.security_label == policy.selinux_label;
    if (policy.selinux_label.empty() || by_selinux) {
      return {};
    }
    return Fail(MakeError(
        ErrorCode::kUnsupported,
        "the file part of the policy cannot be held: it has no Landlock rules (a workload that "
        "mounts can be held by SELinux only), and the container does not run as " +
            policy.selinux_label));
  }
  if (host.landlock_abi == 0) {
    return Fail(MakeError(ErrorCode::kUnsupported,
                          "the file part of the policy cannot be held: this kernel has no Landlock "
                          "(Linux 5.13, lsm=landlock)"));
  }
  ASSIGN_OR_RETURN(plan.landlock, PlanLandlockRules(*policy.landlock, host.landlock_abi));
  return {};
}

/// The numbers of "0-2,7".
Expected<std::set<unsigned>> NumbersOf(const std::string& text) {
  constexpr std::uint64_t kMost = 65536;
  std::set<unsigned> numbers;
  for (const std::string& part : Split(text, ',')) {
    const std::size_t dash = part.find('-');
    const auto first = ParseUnsigned(part.substr(0, dash));
    const auto last = dash == std::string::npos ? first : ParseUnsigned(part.substr(dash + 1));
    if (!first || !last || *first > *last || *last >= kMost) {
      return Fail(InvalidInput(Quote(text) + " is no list of numbers as in 0-2,7"));
    }
    for (std::uint64_t number = *first; number <= *last; ++number) {
      numbers.insert(static_cast<unsigned>(number));
    }
  }
  return numbers;
}

/// The processors, or memory nodes, of both; empty where the policy does not name any.
Expected<std::string> BothOf(const std::string& policy, const std::string& engine) {
  if (policy.empty() || engine.empty()) {
    return policy;
  }
  ASSIGN_OR_RETURN(const std::set<unsigned> allowed, NumbersOf(policy));
  ASSIGN_OR_RETURN(const std::set<unsigned> asked, NumbersOf(engine));
  std::string both;
  for (const unsigned number : asked) {
    if (allowed.contains(number)) {
      both += fmt::format("{}{}", both.empty() ? "" : ",", number);
    }
  }
  if (both.empty()) {
    return Fail(InvalidInput(
        fmt::format("linux.resources.cpu: none of {} is in {}, which is all that the policy allows",
                    Quote(engine), Quote(policy))));
  }
  return both;
}

/// A limit of the policy where it is below what the engine has; 0 and less is no limit.
std::optional<std::int64_t> Smaller(const std::optional<std::uint64_t>& policy,
                                    const std::optional<std::int64_t>& engine) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (!policy || *policy > kMost) {
    return std::nullopt;
  }
  const auto limit = static_cast<std::int64_t>(*policy);
  const std::int64_t asked = engine.value_or(0);
  return asked > 0 && asked <= limit ? std::nullopt : std::optional(limit);
}

void TightenMemory(const ResourceLimits& policy, const OciResources& engine, OciResources& tight) {
  tight.memory_limit = Smaller(policy.memory_bytes, engine.memory_limit);
  const std::optional<std::uint64_t> swap =
      policy.memory_swap_bytes ? policy.memory_swap_bytes : policy.memory_bytes;
  tight.memory_swap = Smaller(swap, engine.memory_swap);
  // cgroup v1 takes no limit of both that is below that of memory.
  const std::int64_t least = tight.memory_limit.value_or(engine.memory_limit.value_or(0));
  if (tight.memory_swap && least > 0) {
    tight.memory_swap = std::max(*tight.memory_swap, least);
    // cgroup v2 counts swap by itself, and so has to be told both.
    tight.memory_limit = least;
  }
}

void TightenCpu(const ResourceLimits& policy, const OciResources& engine, OciResources& tight) {
  constexpr std::uint64_t kUsualPeriod = 100'000;
  if (policy.cpu_quota_us && *policy.cpu_quota_us != kUnlimited) {
    const auto quota = static_cast<double>(*policy.cpu_quota_us);
    const std::int64_t asked = engine.cpu_quota.value_or(0);
    const std::uint64_t asked_period = engine.cpu_period.value_or(0);
    const auto period = static_cast<double>(asked_period == 0 ? kUsualPeriod : asked_period);
    if (asked <= 0 ||
        static_cast<double>(asked) / period > quota / static_cast<double>(policy.cpu_period_us)) {
      tight.cpu_quota = static_cast<std::int64_t>(*policy.cpu_quota_us);
      tight.cpu_period = policy.cpu_period_us;
    }
  }
  constexpr std::uint64_t kUsualShares = 1024;
  const std::uint64_t asked_shares = engine.cpu_shares.value_or(0);
  if (policy.cpu_shares && *policy.cpu_shares < (asked_shares == 0 ? kUsualShares : asked_shares)) {
    tight.cpu_shares = policy.cpu_shares;
  }
}

void TightenIo(const ResourceLimits& policy, const OciResources& engine, OciResources& tight) {
  constexpr std::uint16_t kUsualWeight = 100;
  const std::uint16_t asked = engine.io_weight.value_or(0);
  if (policy.io_weight && *policy.io_weight < (asked == 0 ? kUsualWeight : asked)) {
    tight.io_weight = static_cast<std::uint16_t>(*policy.io_weight);
  }
  using PolicyRates = std::vector<DeviceRate> ResourceLimits::*;
  using EngineRates = std::vector<OciDeviceRate> OciResources::*;
  constexpr std::array<std::pair<PolicyRates, EngineRates>, 4> kRates{{
      {&ResourceLimits::read_bps, &OciResources::read_bps},
      {&ResourceLimits::write_bps, &OciResources::write_bps},
      {&ResourceLimits::read_iops, &OciResources::read_iops},
      {&ResourceLimits::write_iops, &OciResources::write_iops},
  }};
  for (const auto& [of_policy, of_engine] : kRates) {
    for (const DeviceRate& limit : policy.*of_policy) {
      const bool is_lower = limit.rate != kUnlimited &&
                            std::ranges::none_of(engine.*of_engine, [&](const OciDeviceRate& one) {
                              return one.major == limit.device.major &&
                                     one.minor == limit.device.minor && one.rate != 0 &&
                                     one.rate <= limit.rate;
                            });
      if (is_lower) {
        (tight.*of_engine).push_back({limit.device.major, limit.device.minor, limit.rate});
      }
    }
  }
}

}  // namespace

Status TightenOciProcess(const SandboxConfig& policy, const HostFeatures& host,
                         OciProcessPlan& plan) {
  ASSIGN_OR_RETURN(const std::uint64_t allowed, CapabilityBits(policy.capabilities));
  for (std::uint64_t* const set :
       {&plan.bounding, &plan.effective, &plan.permitted, &plan.inheritable, &plan.ambient}) {
    *set &= allowed;
  }
  plan.no_new_privileges = plan.no_new_privileges || policy.no_new_privileges;
  RETURN_IF_ERROR(TightenRlimits(policy.rlimits, host, plan));
  return HoldFiles(policy, host, plan);
}

bool MayReport(const OciFilter& engine) {
  return !engine.listener && RefusesByItself(engine.program);
}

Status AddPlainFilter(const std::vector<sock_filter>& policy, OciFilter& filter) {
  if (filter.program.empty()) {
    filter.program = policy;
    return {};
  }
  ASSIGN_OR_RETURN(filter.program, CombineFilters(policy, filter.program));
  return {};
}

Status AddNotifyingFilter(const std::vector<sock_filter>& policy, OciFilter& filter) {
  if (filter.program.empty()) {
    filter.program = policy;
  } else {
    ASSIGN_OR_RETURN(filter.program, CombineFilters(filter.program, policy));
  }
  filter.listener = true;
  filter.flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
  // A signal must not end the wait for an answer: calls that never fail with EINTR would. Since
  // Linux 5.19.
  filter.optional_flags |= kWaitKillable & ~filter.flags;
  return {};
}

Expected<OciResources> TighterResources(const ResourceLimits& policy, const OciResources& engine) {
  if (!policy.devices.empty() || !policy.unified.empty()) {
    return Fail(MakeError(ErrorCode::kUnsupported,
                          "the policy limits devices, or files of cgroup v2 by name, which cannot "
                          "be added to what an engine says of them"));
  }
  OciResources tight;
  TightenMemory(policy, engine, tight);
  TightenCpu(policy, engine, tight);
  ASSIGN_OR_RETURN(tight.cpuset_cpus, BothOf(policy.cpuset_cpus, engine.cpuset_cpus));
  ASSIGN_OR_RETURN(tight.cpuset_mems, BothOf(policy.cpuset_mems, engine.cpuset_mems));
  tight.pids_limit = Smaller(policy.pids, engine.pids_limit);
  TightenIo(policy, engine, tight);
  return tight;
}

std::vector<OciResources> ByController(const OciResources& resources) {
  std::vector<OciResources> parts(5);
  parts[0].memory_limit = resources.memory_limit;
  parts[0].memory_swap = resources.memory_swap;
  parts[1].cpu_quota = resources.cpu_quota;
  parts[1].cpu_period = resources.cpu_period;
  parts[1].cpu_shares = resources.cpu_shares;
  parts[2].cpuset_cpus = resources.cpuset_cpus;
  parts[2].cpuset_mems = resources.cpuset_mems;
  parts[3].pids_limit = resources.pids_limit;
  parts[4].io_weight = resources.io_weight;
  parts[4].read_bps = resources.read_bps;
  parts[4].write_bps = resources.write_bps;
  parts[4].read_iops = resources.read_iops;
  parts[4].write_iops = resources.write_iops;
  return parts;
}

Expected<OciResources> TighterChange(const ResourceLimits& policy, const OciResources& change) {
  const bool has_quota = change.cpu_quota.value_or(0) != 0;
  const bool has_period = change.cpu_period.value_or(0) != 0;
  if (policy.cpu_quota_us && has_quota != has_period) {
    return Fail(InvalidInput(
        "linux.resources.cpu: quota and period go together where a policy limits them"));
  }
  ASSIGN_OR_RETURN(OciResources resources, TighterResources(policy, change));
  // What the change leaves out stays as it is, which may be less than the policy allows.
  if (change.memory_limit.value_or(0) == 0) {
    resources.memory_limit.reset();
  }
  if (change.memory_swap.value_or(0) == 0) {
    resources.memory_swap.reset();
  }
  if (!has_quota) {
    resources.cpu_quota.reset();
    resources.cpu_period.reset();
  }
  if (change.cpu_shares.value_or(0) == 0) {
    resources.cpu_shares.reset();
  }
  if (change.cpuset_cpus.empty()) {
    resources.cpuset_cpus.clear();
  }
  if (change.cpuset_mems.empty()) {
    resources.cpuset_mems.clear();
  }
  if (change.pids_limit.value_or(0) == 0) {
    resources.pids_limit.reset();
  }
  if (change.io_weight.value_or(0) == 0) {
    resources.io_weight.reset();
  }
  resources.read_bps = change.read_bps.empty() ? change.read_bps : resources.read_bps;
  resources.write_bps = change.write_bps.empty() ? change.write_bps : resources.write_bps;
  resources.read_iops = change.read_iops.empty() ? change.read_iops : resources.read_iops;
  resources.write_iops = change.write_iops.empty() ? change.write_iops : resources.write_iops;
  return resources;
}

}  // namespace cordon
