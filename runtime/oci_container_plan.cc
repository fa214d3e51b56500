#include "runtime/oci_container_plan.h"

#include <fmt/format.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sys/personality.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "common/text.h"

namespace cordon {
namespace {

constexpr std::array<std::pair<Namespace, std::uint64_t>, 8> kFlags{{
    {Namespace::kUser, CLONE_NEWUSER},
    {Namespace::kPid, CLONE_NEWPID},
    {Namespace::kMount, CLONE_NEWNS},
    {Namespace::kUts, CLONE_NEWUTS},
    {Namespace::kIpc, CLONE_NEWIPC},
    {Namespace::kCgroup, CLONE_NEWCGROUP},
    {Namespace::kNetwork, CLONE_NEWNET},
    {Namespace::kTime, CLONE_NEWTIME},
}};

std::uint64_t FlagOf(Namespace type) {
  return std::ranges::find(kFlags, type, &std::pair<Namespace, std::uint64_t>::first)->second;
}

std::string MapText(const std::vector<OciIdMapping>& mappings) {
  std::string text;
  for (const OciIdMapping& mapping : mappings) {
    text += fmt::format("{} {} {}\n", mapping.inside, mapping.outside, mapping.count);
  }
  return text;
}

bool Joins(const OciContainerPlan& plan, std::uint64_t flag) {
  return std::ranges::find(plan.joined, flag, &OciJoinedNamespace::flag) != plan.joined.end();
}

Status PlanNamespaces(const OciSpec& spec, OciContainerPlan& plan) {
  for (const OciNamespace& space : spec.namespaces) {
    if (!space.path.empty()) {
      if (space.type == Namespace::kTime && !spec.time_offsets.empty()) {
        return Fail(InvalidInput(
            "linux.timeOffsets: the clocks of a time namespace that exists cannot be set"));
      }
      plan.joined.push_back({FlagOf(space.type), space.path});
      continue;
    }
    plan.clone_flags |= FlagOf(space.type);
  }
  if (!plan.HasNew(CLONE_NEWNS)) {
    return Fail(InvalidInput(
        "linux.namespaces: a container needs a new mount namespace, else its root would be the "
        "host's"));
  }
  if (plan.HasNew(CLONE_NEWUSER)) {
    if (spec.uid_mappings.empty() || spec.gid_mappings.empty()) {
      return Fail(InvalidInput(
          "linux: a new user namespace needs uidMappings and gidMappings, else it is nobody's"));
    }
    plan.uid_map = MapText(spec.uid_mappings);
    plan.gid_map = MapText(spec.gid_mappings);
  }
  plan.cgroup_namespace = plan.HasNew(CLONE_NEWCGROUP);
  if (plan.HasNew(CLONE_NEWTIME)) {
    plan.time_offsets = "monotonic 0 0\n";  // the host's clocks, in a namespace of its own
    for (const auto& [clock, offset] : spec.time_offsets) {
      plan.time_offsets += fmt::format("{} {} {}\n", clock, offset.seconds, offset.nanoseconds);
    }
  }
  plan.loopback = plan.HasNew(CLONE_NEWNET);
  plan.clone_flags &= ~std::uint64_t{CLONE_NEWCGROUP | CLONE_NEWTIME};
  return {};
}

Status PlanNames(const OciSpec& spec, OciContainerPlan& plan) {
  if (!plan.HasNew(CLONE_NEWUTS) && !Joins(plan, CLONE_NEWUTS) &&
      (!spec.hostname.empty() || !spec.domainname.empty())) {
    return Fail(InvalidInput(
        "hostname and domainname need a uts namespace in linux.namespaces: they would be the "
        "host's"));
  }
  plan.hostname = spec.hostname;
  plan.domainname = spec.domainname;
  return {};
}

/// A setting must be one of a namespace that is the container's alone.
Status CheckSetting(const std::string& path, const OciSpec& spec, const OciContainerPlan& plan) {
  const std::uint64_t flag = NamespaceOfSetting(path);
  if (flag == 0 || !(plan.HasNew(flag) || Joins(plan, flag))) {
    return Fail(InvalidInput(
        fmt::format("linux.sysctl: {} is not of a namespace that the container has: it would be "
                    "the host's",
                    Quote(path))));
  }
  if (path == "kernel/hostname" && !spec.hostname.empty()) {
    return Fail(InvalidInput("linux.sysctl: kernel.hostname is what hostname says"));
  }
  return {};
}

Status PlanSettings(const OciSpec& spec, OciContainerPlan& plan) {
  for (const auto& [name, value] : spec.sysctl) {
    // As sysctl(8): dots separate unless a slash comes first.
    std::string path = name;
    if (const std::size_t separator = path.find_first_of("./");
        separator != std::string::npos && path[separator] == '.') {
      for (char& c : path) {
        c = c == '.' ? '/' : c == '/' ? '.' : c;
      }
    }
    RETURN_IF_ERROR(CheckSetting(path, spec, plan));
    plan.settings.push_back({std::move(path), value});
  }
  return {};
}

Status PlanMounts(const OciPlanRequest& request, OciContainerPlan& plan) {
  for (const OciMount& mount : request.spec.mounts) {
    ASSIGN_OR_RETURN(OciMountStep step, PlanOciMount(mount));
    if (step.kind == OciMountKind::kBind) {
      if (!step.source.starts_with('/')) {
        step.source = request.bundle + "/" + step.source;
      }
      if (step.idmapped && step.uid_mappings.empty()) {
        step.uid_mappings = request.spec.uid_mappings;
        step.gid_mappings = request.spec.gid_mappings;
      }
      if (step.idmapped && step.uid_mappings.empty()) {
        return Fail(InvalidInput("mount on " + Quote(mount.destination) +
                                 ": idmap needs mappings of its own or of the container"));
      }
      step.idmapped = step.idmapped || !step.uid_mappings.empty();
      if (step.destination == "/dev") {
        plan.fill_dev = false;
      }
    }
    if (step.kind == OciMountKind::kCgroup) {
      for (OciMountStep& part : PlanOciCgroupMount(step, request.cgroups, plan.cgroup_namespace)) {
        plan.mounts.push_back(std::move(part));
      }
      continue;
    }
    plan.mounts.push_back(std::move(step));
  }
  return {};
}

void PlanDevices(const OciPlanRequest& request, OciContainerPlan& plan) {
  struct Default {
    std::string_view path;
    std::uint32_t major;
    std::uint32_t minor;
  };

  constexpr std::array<Default, 6> kDefaults{{{"/dev/null", 1, 3},
                                              {"/dev/zero", 1, 5},
                                              {"/dev/full", 1, 7},
                                              {"/dev/random", 1, 8},
                                              {"/dev/urandom", 1, 9},
                                              {"/dev/tty", 5, 0}}};
  if (!plan.fill_dev) {
    return;
  }
  plan.bind_devices =
      request.in_user_namespace || plan.HasNew(CLONE_NEWUSER) || Joins(plan, CLONE_NEWUSER);
  const std::vector<OciDevice>& wanted = request.spec.devices;
  for (const Default& one : kDefaults) {
    if (std::ranges::find(wanted, one.path, &OciDevice::path) == wanted.end()) {
      plan.devices.push_back({{.path = std::string(one.path),
                               .type = 'c',
                               .major = one.major,
                               .minor = one.minor,
                               .mode = 0666,
                               .uid = 0,
                               .gid = 0},
                              true});
    }
  }
  for (const OciDevice& device : wanted) {
    // The terminal's other links are made by name below.
    if (device.path != "/dev/ptmx") {
      plan.devices.push_back({device, false});
    }
  }
}

}  // namespace

std::uint64_t NamespaceOfSetting(std::string_view path) {
  constexpr std::array<std::string_view, 11> kIpc{
      "kernel/msgmax",      "kernel/msgmnb",      "kernel/msgmni",     "kernel/sem",
      "kernel/shmall",      "kernel/shmmax",      "kernel/shmmni",     "kernel/shm_rmid_forced",
      "kernel/auto_msgmni", "kernel/msg_next_id", "kernel/sem_next_id"};
  if (path.starts_with("fs/mqueue/") || std::ranges::find(kIpc, path) != kIpc.end()) {
    return CLONE_NEWIPC;
  }
  if (path.starts_with("net/")) {
    return CLONE_NEWNET;
  }
  if (path == "kernel/domainname" || path == "kernel/hostname") {
    return CLONE_NEWUTS;
  }
  return path.starts_with("user/") ? CLONE_NEWUSER : 0;
}

std::vector<OciMountStep> PlanOciCgroupMount(const OciMountStep& mount, const OciCgroups& cgroups,
                                             bool has_cgroup_namespace) {
  std::vector<OciMountStep> steps;
  const auto& places = cgroups.places();
  const bool has_v1 = std::ranges::any_of(
      places, [](const OciCgroups::Place& place) { return !place.hierarchy.is_v2(); });
  const auto show = [&](const std::string& source, const std::string& destination) {
    OciMountStep step;
    step.kind = OciMountKind::kBind;
    step.source = source;
    step.destination = destination;
    step.attributes_set = mount.attributes_set | mount.below_set;
    step.attributes_clear = mount.attributes_clear | mount.below_clear;
    step.propagation = mount.propagation;
    steps.push_back(std::move(step));
  };
  if (!has_v1) {
    if (!places.empty()) {
      const OciCgroups::Place& place = places.front();
      show(has_cgroup_namespace ? place.folder : place.hierarchy.mount, mount.destination);
    }
    return steps;
  }
  OciMountStep top;
  top.kind = OciMountKind::kFileSystem;
  top.type = "tmpfs";
  top.source = "tmpfs";
  top.destination = mount.destination;
  top.parameters = {{"mode", "755"}};
  top.attributes_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  top.propagation = mount.propagation;
  steps.push_back(top);
  for (const OciCgroups::Place& place : places) {
    const std::string name = place.hierarchy.mount.substr(place.hierarchy.mount.rfind('/') + 1);
    show(place.folder, mount.destination + "/" + name);
    for (const std::string& controller : place.hierarchy.controllers) {
      // "cpu" leads to "cpu,cpuacct" where the two are mounted together.
      if (place.hierarchy.controllers.size() > 1 && controller != name) {
        OciMountStep link;
        link.kind = OciMountKind::kLink;
        link.source = name;
        link.destination = mount.destination + "/" + controller;
        steps.push_back(std::move(link));
      }
    }
  }
  if (((mount.attributes_set | mount.below_set) & MOUNT_ATTR_RDONLY) != 0) {
    OciMountStep close;
    close.kind = OciMountKind::kRemount;
    close.destination = mount.destination;
    close.attributes_set = MOUNT_ATTR_RDONLY;
    steps.push_back(std::move(close));
  }
  return steps;
}

Expected<OciContainerPlan> PlanOciContainer(const OciPlanRequest& request) {
  const OciSpec& spec = request.spec;
  OciContainerPlan plan;
  RETURN_IF_ERROR(PlanNamespaces(spec, plan));
  RETURN_IF_ERROR(PlanNames(spec, plan));
  RETURN_IF_ERROR(PlanSettings(spec, plan));
  if (spec.process) {
    const bool joins_user = Joins(plan, CLONE_NEWUSER);
    ASSIGN_OR_RETURN(plan.process,
                     PlanOciProcess(*spec.process,
                                    {.host = request.host,
                                     .has_user_namespace = joins_user || plan.HasNew(CLONE_NEWUSER),
                                     .has_apparmor = request.has_apparmor}));
  } else {
    return Fail(InvalidInput("process is missing: there is nothing to start"));
  }
  if (!spec.personality.empty()) {
    plan.process.personality = spec.personality == "LINUX32" ? PER_LINUX32 : PER_LINUX;
  }
  if (!spec.mount_label.empty() && request.host.selinux == SelinuxState::kAbsent) {
    return Fail(
        MakeError(ErrorCode::kUnsupported, "linux.mountLabel: this kernel does not run SELinux"));
  }
  plan.root_path =
      spec.root_path.starts_with('/') ? spec.root_path : request.bundle + "/" + spec.root_path;
  plan.root_readonly = spec.root_readonly;
  plan.root_propagation = spec.root_propagation;
  RETURN_IF_ERROR(PlanMounts(request, plan));
  PlanDevices(request, plan);
  if (!spec.mount_label.empty()) {
    for (OciMountStep& step : plan.mounts) {
      if (step.kind == OciMountKind::kFileSystem &&
          (step.type == "tmpfs" || step.type == "mqueue" || step.type == "devpts")) {
        step.parameters.emplace_back("context", spec.mount_label);
      }
    }
  }
  plan.masked_paths = spec.masked_paths;
  plan.readonly_paths = spec.readonly_paths;
  return plan;
}

}  // namespace cordon
