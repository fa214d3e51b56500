#include "runtime/launch_plan.h"

#include <fmt/format.h>
#include <linux/sched.h>

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>

#include "common/text.h"
#include "model/bpf_interpreter.h"
#include "model/seccomp_compiler.h"
#include "runtime/base_filter.h"
#include "runtime/capability_names.h"
#include "runtime/executable_candidates.h"
#include "runtime/landlock_access.h"
#include "runtime/rlimit_names.h"

namespace cordon {
namespace {

constexpr std::uint64_t Bit(unsigned number) {
  return std::uint64_t{1} << number;
}

constexpr unsigned kCapSysAdmin = 21;
constexpr unsigned kCapSysResource = 24;

struct NamespaceFlag {
  Namespace space;
  std::uint64_t flag;
};

constexpr std::array<NamespaceFlag, 5> kNamespaceFlags{{
    {Namespace::kPid, CLONE_NEWPID},
    {Namespace::kMount, CLONE_NEWNS},
    {Namespace::kUts, CLONE_NEWUTS},
    {Namespace::kIpc, CLONE_NEWIPC},
    {Namespace::kNetwork, CLONE_NEWNET},
}};

std::string NameOfVariable(const std::string& entry) {
  return entry.substr(0, entry.find('='));
}

/// The caller's environment, and what the configuration has beyond it.
std::vector<std::string> MergeEnvironment(const LaunchRequest& request) {
  std::vector<std::string> merged = request.environment;
  for (const std::string& entry : request.config.environment) {
    const std::string name = NameOfVariable(entry);
    if (std::ranges::none_of(merged,
                             [&](const std::string& m) { return NameOfVariable(m) == name; })) {
      merged.push_back(entry);
    }
  }
  return merged;
}

Status PlanCommand(const LaunchRequest& request, LaunchPlan& plan) {
  const SandboxConfig& config = request.config;
  if (config.arguments.empty() || config.arguments.front().empty()) {
    return Fail(InvalidInput("no command to run"));
  }
  plan.arguments = config.arguments;
  plan.environment = MergeEnvironment(request);
  plan.executables = ExecutableCandidates(config.arguments.front(), plan.environment);
  plan.working_directory = config.working_directory;
  if (config.root_path == "/" && !request.working_directory.empty()) {
    plan.working_directory = request.working_directory;
    plan.working_directory_optional = true;
  }
  return {};
}

Status PlanNetwork(const SandboxConfig& config, bool privileged, LaunchPlan& plan) {
  if (config.network == NetworkMode::kHost) {
    plan.clone_flags &= ~std::uint64_t{CLONE_NEWNET};
    if (!config.published.empty()) {
      return Fail(InvalidInput(
          "ports cannot be published with the host's network: the command listens there itself"));
    }
    return {};
  }
  plan.clone_flags |= CLONE_NEWNET;
  plan.loopback = true;
  plan.published = config.published;
  if (config.network == NetworkMode::kPrivate) {
    plan.private_network = privileged ? NetworkTechnique::kVeth : NetworkTechnique::kPasta;
    return {};
  }
  if (std::ranges::find(config.published, Transport::kUdp, &PublishedPort::transport) !=
      config.published.end()) {
    return Fail(InvalidInput("a UDP port can be published with --network private only"));
  }
  return {};
}

Status PlanSubordinateIds(const LaunchRequest& request, const HostFeatures& host,
                          LaunchPlan& plan) {
  if (!request.subordinate_ids) {
    return Fail(MakeError(ErrorCode::kInternal, "no subordinate ids were looked up"));
  }
  plan.uid_maps = MapOntoRanges(host.uid, request.subordinate_ids->uids);
  plan.gid_maps = MapOntoRanges(host.uid == 0 ? 0 : host.gid, request.subordinate_ids->gids);
  plan.map_writer = host.uid == 0 ? MapWriter::kSelf : MapWriter::kHelpers;
  plan.become_root_inside = true;
  plan.sources_outside = host.uid == 0;
  plan.root_idmapped = host.uid == 0 && request.config.root_path != "/";
  for (const auto& [maps, id, what] : {std::tuple{&plan.uid_maps, plan.uid, "user"},
                                       std::tuple{&plan.gid_maps, plan.gid, "group"}}) {
    if (!OutsideId(*maps, id)) {
      return Fail(InvalidInput(fmt::format(
          "{} {} is beyond the ranges of /etc/subuid and /etc/subgid: lengthen them", what, id)));
    }
  }
  return {};
}

/// Who the workload is, and what of that the host sees.
Status PlanUsers(const LaunchRequest& request, const HostFeatures& host, bool privileged,
                 LaunchPlan& plan) {
  const SandboxConfig& config = request.config;
  plan.uid = config.uid;
  plan.gid = config.gid;
  plan.groups = {config.additional_gids.begin(), config.additional_gids.end()};
  plan.set_groups = true;
  if (privileged && request.user_namespace == UserNamespaceUse::kWhenUnprivileged &&
      !config.namespaces.contains(Namespace::kUser)) {
    return {};
  }
  plan.clone_flags |= CLONE_NEWUSER;
  if (request.user_namespace == UserNamespaceUse::kSubordinateIds) {
    return PlanSubordinateIds(request, host, plan);
  }
  if (privileged) {
    // Every id of the caller's, so that servers can still change to their own user; capabilities
    // end at the namespace all the same.
    const std::uint32_t all = std::numeric_limits<std::uint32_t>::max();
    plan.uid_maps = {{0, 0, all}};
    plan.gid_maps = {{0, 0, all}};
    return {};
  }
  // An unprivileged process may map only its own ids, and must give up setgroups(2) first
  // (user_namespaces(7)).
  plan.uid_maps = {{config.uid, host.uid, 1}};
  plan.gid_maps = {{config.gid, host.gid, 1}};
  plan.deny_setgroups = true;
  plan.set_groups = false;
  if (!plan.groups.empty()) {
    plan.groups.clear();
    plan.warnings.emplace_back(
        "the command gets no supplementary groups: an ordinary user has them to give with "
        "--userns=subids only");
  }
  return {};
}

Status PlanNamespaces(const LaunchRequest& request, const HostFeatures& host, LaunchPlan& plan) {
  const SandboxConfig& config = request.config;
  if (!config.namespaces.contains(Namespace::kPid) ||
      !config.namespaces.contains(Namespace::kMount)) {
    return Fail(
        InvalidInput("linux.namespaces must name pid and mount: nothing is isolated without them"));
  }
  if (!config.namespaces.contains(Namespace::kIpc) &&
      !request.degraded.contains(PolicyPart::kIpc)) {
    return Fail(
        InvalidInput("with the host's ipc namespace the sandbox shares its System V and POSIX "
                     "queues, semaphores "
                     "and shared memory: --allow-degraded ipc runs the command so"));
  }
  if (config.namespaces.contains(Namespace::kTime)) {
    for (const auto& [clock, offset] : config.time_offsets) {
      plan.time_offsets += fmt::format("{} {} {}\n", clock, offset.seconds, offset.nanoseconds);
    }
    if (plan.time_offsets.empty()) {
      plan.time_offsets = "monotonic 0 0\n";  // the host's clocks, in a namespace of its own
    }
  } else if (!config.time_offsets.empty()) {
    return Fail(InvalidInput("linux.timeOffsets needs a time namespace in linux.namespaces"));
  }
  for (const NamespaceFlag& entry : kNamespaceFlags) {
    if (config.namespaces.contains(entry.space)) {
      plan.clone_flags |= entry.flag;
    }
  }
  plan.cgroup_namespace = config.namespaces.contains(Namespace::kCgroup);
  const bool privileged = (host.permitted_capabilities & Bit(kCapSysAdmin)) != 0 && host.uid == 0;
  RETURN_IF_ERROR(PlanNetwork(config, privileged, plan));
  return PlanUsers(request, host, privileged, plan);
}

Status PlanMounts(const LaunchRequest& request, LaunchPlan& plan) {
  const SandboxConfig& config = request.config;
  if (config.root_path.empty() || config.root_path.front() != '/') {
    return Fail(InvalidInput("the root " + Quote(config.root_path) + " is not an absolute path"));
  }
  plan.root_path = config.root_path;
  plan.root_readonly = config.root_readonly;
  plan.hostname = (plan.clone_flags & CLONE_NEWUTS) != 0 ? config.hostname : std::string();
  const bool may_mount_sysfs =
      (plan.clone_flags & CLONE_NEWUSER) == 0 || (plan.clone_flags & CLONE_NEWNET) != 0;
  for (const Mount& mount : config.mounts) {
    ASSIGN_OR_RETURN(MountStep step, PlanMount(mount));
    step.optional = step.kind == MountKind::kBind;
    if (step.kind == MountKind::kFileSystem && step.type == "sysfs" && !may_mount_sysfs) {
      // sysfs shows a network namespace and may be mounted only by its owner: show the host's
      // instead.
      step = {.kind = MountKind::kBind,
              .source = "/sys",
              .destination = step.destination,
              .type = {},
              .parameters = {},
              .attributes_set = step.attributes_set,
              .attributes_clear = step.attributes_clear,
              .recursive = true};
    }
    if (step.type == "devpts" && (plan.clone_flags & CLONE_NEWUSER) != 0 && plan.deny_setgroups) {
      // A group that has no map cannot own the terminals.
      std::erase_if(step.parameters,
                    [](const auto& parameter) { return parameter.first == "gid"; });
    }
    plan.mounts.push_back(std::move(step));
  }
  for (const Mount& volume : request.volumes) {
    ASSIGN_OR_RETURN(MountStep step, PlanMount(volume));
    plan.mounts.push_back(std::move(step));
  }
  for (const MountStep& step : plan.mounts) {
    if (step.idmapped && !plan.sources_outside) {
      return Fail(InvalidInput("mount on " + Quote(step.destination) +
                               ": idmap needs root and --userns=subids: without, there are no ids "
                               "to map, and only root may"));
    }
  }
  plan.masked_paths = config.masked_paths;
  plan.readonly_paths = config.readonly_paths;
  return {};
}

Status PlanTerminal(const LaunchRequest& request, LaunchPlan& plan) {
  plan.terminal = request.terminal;
  if (plan.terminal &&
      std::ranges::find(plan.mounts, "devpts", &MountStep::type) == plan.mounts.end()) {
    return Fail(InvalidInput(
        "a terminal of the sandbox's own needs a devpts among the mounts of config.json"));
  }
  return {};
}

/// Can a process that may gain privileges be confined?
Status CheckPrivileges(const LaunchRequest& request, const LaunchPlan& plan) {
  if (plan.no_new_privileges || request.filter.empty()) {
    return {};
  }
  if (plan.uid != 0) {
    return Fail(
        InvalidInput("process.noNewPrivileges must be true: a filter cannot be loaded without it"));
  }
  constexpr std::string_view kLast = "capset";
  const SyscallInvocation last{
      {NativeArchitecture(), SyscallNumber(NativeArchitecture(), kLast).value_or(-1)}, {}};
  ASSIGN_OR_RETURN(const std::uint32_t answer, InterpretBpf(request.filter, last));
  if (ActionOfWord(answer).kind != SeccompActionKind::kAllow) {
    return Fail(InvalidInput(
        "process.noNewPrivileges is false, and the filter does not allow capset, which comes after "
        "it then: generate the policy with --no-new-privileges off"));
  }
  return {};
}

Status PlanCapabilities(const LaunchRequest& request, const HostFeatures& host, LaunchPlan& plan) {
  plan.last_capability = host.last_capability;
  const bool own_user_namespace = (plan.clone_flags & CLONE_NEWUSER) != 0;
  for (const std::string& name : request.config.capabilities) {
    const std::optional<unsigned> number = CapabilityNumber(name);
    if (!number) {
      return Fail(InvalidInput("'" + name + "' is not the name of a capability"));
    }
    if (*number > host.last_capability ||
        (!own_user_namespace && (host.permitted_capabilities & Bit(*number)) == 0)) {
      plan.warnings.push_back("the workload asks for " + name +
                              ", which cordon does not have itself and so cannot give");
      continue;
    }
    plan.capabilities |= Bit(*number);
  }
  plan.no_new_privileges = request.config.no_new_privileges;
  return CheckPrivileges(request, plan);
}

Status PlanRlimits(const LaunchRequest& request, const HostFeatures& host, LaunchPlan& plan) {
  const bool has_resource = (host.permitted_capabilities & Bit(kCapSysResource)) != 0;
  const bool may_raise = has_resource && (plan.clone_flags & CLONE_NEWUSER) == 0;
  plan.oom_score_adj = request.config.oom_score_adj;
  if (plan.oom_score_adj && *plan.oom_score_adj < host.oom_score_adj && !has_resource) {
    plan.warnings.push_back(
        fmt::format("oom_score_adj is held at {} instead of {}: lowering it needs CAP_SYS_RESOURCE",
                    host.oom_score_adj, *plan.oom_score_adj));
    plan.oom_score_adj = host.oom_score_adj;
  }
  for (const Rlimit& wanted : request.config.rlimits) {
    const std::optional<int> resource = RlimitNumber(wanted.type);
    if (!resource) {
      return Fail(InvalidInput("'" + wanted.type + "' is not the name of a resource limit"));
    }
    RlimitStep step{*resource, {wanted.soft, wanted.hard}, wanted.type};
    const auto current = host.rlimits.find(*resource);
    if (current != host.rlimits.end() && !may_raise &&
        step.limit.rlim_max > current->second.rlim_max) {
      step.limit.rlim_max = current->second.rlim_max;
      step.limit.rlim_cur = std::min(step.limit.rlim_cur, step.limit.rlim_max);
      plan.warnings.push_back(wanted.type + " is held at " + std::to_string(step.limit.rlim_max) +
                              " instead of " + std::to_string(wanted.hard) +
                              ": raising it needs CAP_SYS_RESOURCE");
    }
    plan.rlimits.push_back(std::move(step));
  }
  return {};
}

Status PlanLimits(const LaunchRequest& request, const HostFeatures& host, LaunchPlan& plan) {
  plan.limits = request.config.limits;
  plan.cgroup_layout = host.cgroups;
  if (!request.cgroup_parent.empty()) {
    ASSIGN_OR_RETURN(plan.cgroup_layout, BelowParent(host.cgroups, request.cgroup_parent));
  }
  ASSIGN_OR_RETURN(CgroupPlan cgroups,
                   PlanCgroups(plan.limits, request.limit_origins, plan.cgroup_layout));
  for (const UnheldLimit& unheld : cgroups.unheld) {
    if (unheld.origin == LimitOrigin::kAsked && !request.degraded.contains(PolicyPart::kLimits)) {
      return Fail(
          MakeError(ErrorCode::kUnsupported, unheld.option + " cannot be held: " + unheld.reason));
    }
    plan.warnings.push_back(
        fmt::format("the {} limit is not held: {}", unheld.controller, unheld.reason));
  }
  plan.cgroups = std::move(cgroups.steps);
  return {};
}

Status PlanLandlock(const std::vector<LandlockRule>& rules, const HostFeatures& host,
                    LaunchPlan& plan) {
  plan.file_holder = FileHolder::kLandlock;
  ASSIGN_OR_RETURN(LandlockPlan landlock, PlanLandlockRules(rules, host.landlock_abi));
  plan.landlock_handled = landlock.handled;
  plan.landlock = std::move(landlock.rules);
  plan.file_part = "files are held by Landlock (ABI " + std::to_string(host.landlock_abi) + ", " +
                   std::to_string(plan.landlock.size()) + " rules), but not " +
                   Join(LandlockGaps(host.landlock_abi), ", ") +
                   ": what it refuses fails with EACCES";
  if (landlock.lacks_refer) {
    plan.warnings.emplace_back(
        "Landlock ABI 1 (before Linux 5.19) refuses every rename across directories, which this "
        "workload does");
  }
  return {};
}

/// Decides who holds the file part, and fails closed where nobody can.
Status PlanFilePart(const LaunchRequest& request, const HostFeatures& host, LaunchPlan& plan) {
  const SandboxConfig& config = request.config;
  if (!request.has_policy) {
    if (request.required_holder) {
      return Fail(InvalidInput("--require needs --policy: there is no file part to hold"));
    }
    return {};
  }
  if (request.enforcement == Enforcement::kAudit) {
    plan.file_part = "audit: files are not held";
    return {};
  }
  const bool by_selinux = host.selinux == SelinuxState::kEnforcing && !config.selinux_label.empty();
  const bool by_landlock = host.landlock_abi > 0 && config.landlock.has_value();
  if (by_selinux && request.required_holder != FileHolder::kLandlock) {
    plan.file_holder = FileHolder::kSelinux;
    plan.selinux_label = config.selinux_label;
    plan.file_part = "files are held by SELinux (" + config.selinux_label + ")";
    return {};
  }
  if (by_landlock && request.required_holder != FileHolder::kSelinux) {
    return PlanLandlock(*config.landlock, host, plan);
  }
  if (config.selinux_label.empty() && !config.landlock && !request.required_holder) {
    plan.file_part = "the policy has no file part";
    return {};
  }
  std::string why = host.selinux == SelinuxState::kAbsent       ? "this kernel does not run SELinux"
                    : host.selinux == SelinuxState::kPermissive ? "SELinux is permissive here"
                                                                : "the policy has no SELinux label";
  if (request.required_holder != FileHolder::kSelinux) {
    why += host.landlock_abi == 0 ? " and has no Landlock (Linux 5.13, lsm=landlock)"
           : config.landlock      ? ""
                             : " and the policy has no Landlock rules (a workload that mounts can "
                               "be held by SELinux only)";
  }
  if (request.degraded.contains(PolicyPart::kFiles)) {
    plan.file_part = "files are NOT held: " + why;
    return {};
  }
  return Fail(MakeError(ErrorCode::kUnsupported,
                        "the file part of the policy cannot be held: " + why +
                            "; --allow-degraded files runs the command without it"));
}

Status PlanSeccomp(const LaunchRequest& request, const HostFeatures& host, LaunchPlan& plan) {
  plan.base_filter =
      BaseFilter(NativeArchitecture(), request.has_policy ? UserNamespacesInside::kAllowed
                                                          : UserNamespacesInside::kRefused);
  if (request.filter.empty()) {
    return {};
  }
  if (request.reports == ViolationReports::kNone && request.enforcement == Enforcement::kAudit) {
    return Fail(InvalidInput("--audit only reports, so it cannot be combined with --report none"));
  }
  if (request.reports == ViolationReports::kLive && !host.seccomp_notify) {
    return Fail(MakeError(ErrorCode::kUnsupported,
                          "this kernel cannot notify of refused calls (Linux 5.0): --report none "
                          "enforces without reports"));
  }
  plan.filter = request.filter;
  plan.listener = request.reports == ViolationReports::kLive;
  return {};
}

}  // namespace

LaunchPlan PlanEntry(const LaunchPlan& plan, const EntryRequest& request) {
  LaunchPlan entry = plan;
  entry.arguments = request.arguments;
  entry.terminal = request.terminal;
  for (const std::string& variable : request.environment) {
    const std::string name = variable.substr(0, variable.find('=') + 1);
    std::erase_if(entry.environment,
                  [&](const std::string& other) { return other.starts_with(name); });
    entry.environment.push_back(variable);
  }
  entry.executables = ExecutableCandidates(entry.arguments.front(), entry.environment);
  if (!request.working_directory.empty()) {
    entry.working_directory = request.working_directory;
    entry.working_directory_optional = false;
  }
  return entry;
}

Expected<LaunchPlan> PlanLaunch(const LaunchRequest& request, const HostFeatures& host) {
  LaunchPlan plan;
  RETURN_IF_ERROR(PlanCommand(request, plan));
  RETURN_IF_ERROR(PlanNamespaces(request, host, plan));
  RETURN_IF_ERROR(PlanMounts(request, plan));
  RETURN_IF_ERROR(PlanTerminal(request, plan));
  RETURN_IF_ERROR(PlanCapabilities(request, host, plan));
  RETURN_IF_ERROR(PlanRlimits(request, host, plan));
  RETURN_IF_ERROR(PlanLimits(request, host, plan));
  RETURN_IF_ERROR(PlanFilePart(request, host, plan));
  RETURN_IF_ERROR(PlanSeccomp(request, host, plan));
  return plan;
}

}  // namespace cordon
