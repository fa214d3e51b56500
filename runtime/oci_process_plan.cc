#include "runtime/oci_process_plan.h"

#include <fmt/format.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <sys/personality.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "common/text.h"
#include "runtime/capability_names.h"
#include "runtime/executable_candidates.h"
#include "runtime/rlimit_names.h"

namespace cordon {
namespace {

constexpr std::uint64_t Bit(unsigned number) {
  return std::uint64_t{1} << number;
}

constexpr unsigned kCapSysResource = 24;

constexpr std::array<std::pair<std::string_view, std::uint32_t>, 6> kSchedulers{{
    {"SCHED_OTHER", SCHED_NORMAL},
    {"SCHED_FIFO", SCHED_FIFO},
    {"SCHED_RR", SCHED_RR},
    {"SCHED_BATCH", SCHED_BATCH},
    {"SCHED_IDLE", SCHED_IDLE},
    {"SCHED_DEADLINE", SCHED_DEADLINE},
}};

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 7> kSchedulerFlags{{
    {"SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK},
    {"SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM},
    {"SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN},
    {"SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY},
    {"SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS},
    {"SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN},
    {"SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX},
}};

constexpr std::array<std::pair<std::string_view, int>, 3> kIoClasses{{
    {"IOPRIO_CLASS_RT", IOPRIO_CLASS_RT},
    {"IOPRIO_CLASS_BE", IOPRIO_CLASS_BE},
    {"IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE},
}};

template <typename Value, std::size_t kSize>
Expected<Value> Number(const std::array<std::pair<std::string_view, Value>, kSize>& table,
                       const std::string& name, std::string_view what) {
  for (const auto& [known, value] : table) {
    if (known == name) {
      return value;
    }
  }
  return Fail(InvalidInput(fmt::format("{} is not the name of a {}", Quote(name), what)));
}

Expected<std::uint64_t> CapabilityBits(const std::set<std::string>& names, std::string_view set,
                                       const OciProcessContext& context) {
  std::uint64_t bits = 0;
  for (const std::string& name : names) {
    const std::optional<unsigned> number = CapabilityNumber(name);
    if (!number) {
      return Fail(InvalidInput(fmt::format(
          "process.capabilities.{}: {} is not the name of a capability", set, Quote(name))));
    }
    if (*number > context.host.last_capability) {
      return Fail(
          MakeError(ErrorCode::kUnsupported,
                    fmt::format("process.capabilities.{}: this kernel has no {}", set, name)));
    }
    bits |= Bit(*number);
  }
  if (context.has_user_namespace) {
    return bits;
  }
  if (const std::uint64_t missing = bits & ~context.host.permitted_capabilities; missing != 0) {
    return Fail(MakeError(
        ErrorCode::kPermission,
        fmt::format("process.capabilities.{}: {} cannot be given by who does not have it", set,
                    CapabilityName(static_cast<unsigned>(__builtin_ctzll(missing))))));
  }
  return bits;
}

Status PlanCapabilities(const OciCapabilities& sets, const OciProcessContext& context,
                        OciProcessPlan& plan) {
  plan.last_capability = context.host.last_capability;
  ASSIGN_OR_RETURN(plan.bounding, CapabilityBits(sets.bounding, "bounding", context));
  ASSIGN_OR_RETURN(plan.effective, CapabilityBits(sets.effective, "effective", context));
  ASSIGN_OR_RETURN(plan.permitted, CapabilityBits(sets.permitted, "permitted", context));
  ASSIGN_OR_RETURN(plan.inheritable, CapabilityBits(sets.inheritable, "inheritable", context));
  ASSIGN_OR_RETURN(plan.ambient, CapabilityBits(sets.ambient, "ambient", context));
  if ((plan.effective & ~plan.permitted) != 0) {
    return Fail(InvalidInput("process.capabilities: effective has what permitted has not"));
  }
  // `runc spec` writes such ones; the kernel takes none of them (capabilities(7)).
  const std::uint64_t possible = plan.permitted & plan.inheritable;
  if (const std::uint64_t left_out = plan.ambient & ~possible; left_out != 0) {
    plan.warnings.push_back(fmt::format(
        "process.capabilities.ambient: {} is left out, since permitted and inheritable do not both "
        "have it",
        CapabilityName(static_cast<unsigned>(__builtin_ctzll(left_out)))));
    plan.ambient &= possible;
  }
  return {};
}

Status PlanRlimits(const std::vector<Rlimit>& limits, const OciProcessContext& context,
                   OciProcessPlan& plan) {
  const bool may_raise = (context.host.permitted_capabilities & Bit(kCapSysResource)) != 0;
  for (const Rlimit& wanted : limits) {
    const std::optional<int> resource = RlimitNumber(wanted.type);
    if (!resource) {
      return Fail(InvalidInput(
          fmt::format("process.rlimits: {} is not the name of a limit", Quote(wanted.type))));
    }
    if (const auto current = context.host.rlimits.find(*resource);
        current != context.host.rlimits.end() && !may_raise &&
        wanted.hard > current->second.rlim_max) {
      return Fail(
          MakeError(ErrorCode::kPermission,
                    fmt::format("process.rlimits: raising {} from {} to {} needs CAP_SYS_RESOURCE",
                                wanted.type, current->second.rlim_max, wanted.hard)));
    }
    plan.rlimits.push_back({*resource, {wanted.soft, wanted.hard}, wanted.type});
  }
  return {};
}

Status PlanScheduling(const OciProcess& process, OciProcessPlan& plan) {
  if (process.scheduler) {
    const OciScheduler& wanted = *process.scheduler;
    OciSchedulerStep step{.policy = 0,
                          .nice = wanted.nice,
                          .priority = static_cast<std::uint32_t>(wanted.priority),
                          .flags = 0,
                          .runtime = wanted.runtime,
                          .deadline = wanted.deadline,
                          .period = wanted.period};
    ASSIGN_OR_RETURN(step.policy, Number(kSchedulers, wanted.policy, "scheduling policy"));
    for (const std::string& name : wanted.flags) {
      ASSIGN_OR_RETURN(const std::uint64_t flag, Number(kSchedulerFlags, name, "scheduling flag"));
      step.flags |= flag;
    }
    plan.scheduler = step;
  }
  if (process.io_priority) {
    ASSIGN_OR_RETURN(const int io_class,
                     Number(kIoClasses, process.io_priority->io_class, "class of I/O priority"));
    plan.io_priority = IOPRIO_PRIO_VALUE(io_class, process.io_priority->priority);
  }
  return {};
}

/// Labels are written to /proc and taken by the next execve. Without the module that knows them
/// they would protect nothing.
Status PlanLabel(const OciProcess& process, const OciProcessContext& context,
                 OciProcessPlan& plan) {
  if (!process.selinux_label.empty() && !process.apparmor_profile.empty()) {
    return Fail(InvalidInput("process: selinuxLabel and apparmorProfile exclude each other"));
  }
  if (!process.selinux_label.empty()) {
    if (context.host.selinux == SelinuxState::kAbsent) {
      return Fail(MakeError(ErrorCode::kUnsupported,
                            "process.selinuxLabel: this kernel does not run SELinux"));
    }
    plan.security_label = process.selinux_label;
    plan.security_label_file = "attr/exec";
  }
  if (!process.apparmor_profile.empty()) {
    if (!context.has_apparmor) {
      return Fail(MakeError(ErrorCode::kUnsupported,
                            "process.apparmorProfile: this kernel does not run AppArmor"));
    }
    plan.security_label = "exec " + process.apparmor_profile;
    plan.security_label_file = "attr/apparmor/exec";
  }
  return {};
}

}  // namespace

Expected<OciProcessPlan> PlanOciProcess(const OciProcess& process,
                                        const OciProcessContext& context) {
  OciProcessPlan plan;
  plan.arguments = process.arguments;
  plan.environment = process.environment;
  plan.find_home = std::ranges::none_of(
      plan.environment, [](const std::string& entry) { return entry.starts_with("HOME="); });
  plan.executables = ExecutableCandidates(process.arguments.front(), process.environment);
  plan.working_directory = process.working_directory;
  plan.terminal = process.terminal;
  plan.console_size = process.console_size;
  plan.uid = process.user.uid;
  plan.gid = process.user.gid;
  plan.groups.assign(process.user.additional_gids.begin(), process.user.additional_gids.end());
  plan.umask = process.user.umask.value_or(plan.umask);
  plan.no_new_privileges = process.no_new_privileges;
  plan.oom_score_adj = process.oom_score_adj;
  RETURN_IF_ERROR(PlanCapabilities(process.capabilities, context, plan));
  RETURN_IF_ERROR(PlanRlimits(process.rlimits, context, plan));
  RETURN_IF_ERROR(PlanScheduling(process, plan));
  RETURN_IF_ERROR(PlanLabel(process, context, plan));
  return plan;
}

}  // namespace cordon
