// Starting the workload in a container, by an engine: the part of RuleBuilder in place of
// AddLaunch() there.

#include <fmt/format.h>

#include <array>
#include <utility>

#include "generator/selinux_container.h"
#include "generator/selinux_rule_builder.h"

namespace cordon {
namespace {

/// Domains of engines and of what they start containers through (container-selinux; the reference
/// policy's container, docker and podman).
constexpr auto kEngines = std::to_array<std::string_view>(
    {"container_engine_t", "container_runtime_t", "dockerd_t", "podman_conmon_t", "podman_t"});

/// Where a policy has no domain for engines, they run in that of what started them.
constexpr auto kStarters =
    std::to_array<std::string_view>({"init_t", "initrc_t", "kernel_t", "sysadm_t", "unconfined_t"});

struct HoldRow {
  std::string_view object_class;
  std::initializer_list<std::string_view> permissions;
};

/// What engines do to the processes of their containers: stop and look at them, enter their
/// namespaces, write their limits, keep their keyring.
const HoldRow kHold[] = {
    {"dir", {"getattr", "open", "read", "search"}},
    {"fd", {"use"}},
    {"fifo_file", {"append", "getattr", "ioctl", "read", "write"}},
    {"file", {"getattr", "open", "read", "write"}},
    {"key", {"create", "link", "read", "search", "setattr", "view", "write"}},
    {"lnk_file", {"getattr", "read"}},
    {"process",
     {"getattr", "getpgid", "getsched", "getsession", "ptrace", "setrlimit", "setsched", "sigkill",
      "signal", "signull", "sigstop"}},
};

/// TCGETS, TCSETS, TCSETSW, TCSETSF, TIOCGPGRP, TIOCSPGRP, TIOCGWINSZ
constexpr auto kTerminalRequests =
    std::to_array<std::uint16_t>({0x5401, 0x5402, 0x5403, 0x5404, 0x540F, 0x5410, 0x5413});

}  // namespace

std::set<std::string> RuleBuilder::Engines() const {
  const auto known = [this](const auto& list) {
    std::set<std::string> types;
    for (const std::string_view type : list) {
      if (target_.facts.types.contains(std::string(type))) {
        types.emplace(type);
      }
    }
    return types;
  };
  const std::set<std::string> engines = known(kEngines);
  return engines.empty() ? known(kStarters) : engines;
}

void RuleBuilder::AddContainerLaunch() {
  SelinuxPolicy& policy = rules_.policy;
  const std::string& domain = policy.domain;
  const std::string attribute = policy.name + "_launcher";
  std::set<std::string> engines = Engines();
  if (engines.empty()) {
    rules_.blind_spots.insert(
        "the target has none of the domains that cordon knows container engines to run in");
    return;
  }
  policy.attributes.emplace(attribute, std::move(engines));
  policy.Allow({attribute, domain, "process"},
               Known("process", {"noatsecure", "rlimitinh", "siginh", "transition"}),
               "starting it in its domain");
  policy.Allow({attribute, domain, "process2"},
               Known("process2", {"nnp_transition", "nosuid_transition"}),
               "starting it with no_new_privs, or from a nosuid mount");
  const std::string files(kContainerFileType);
  rules_.blind_spots.insert(
      fmt::format("which of its files the container may use: all have the type {}, and what is "
                  "allowed of one is allowed of all of its class",
                  files));
  policy.Allow({attribute, files, "file"},
               Known("file", {"execute", "getattr", "map", "open", "read"}),
               "starting it from its image");
  for (const HoldRow& row : kHold) {
    const std::string object_class(row.object_class);
    policy.Allow({attribute, domain, object_class},
                 Known(object_class, {row.permissions.begin(), row.permissions.end()}),
                 "the engine's hold on its container");
  }
  policy.Allow({domain, attribute, "process"}, Known("process", {"sigchld"}),
               "telling the engine that it ended");
  policy.Allow({domain, attribute, "fd"}, Known("fd", {"use"}),
               "standard input and output from the engine");
  const std::set<std::string> stream{"append", "getattr", "ioctl", "read", "write"};
  const auto narrow = [&](const std::string& target, const std::string& object_class) {
    IoctlRule& rule = policy.allow_ioctl[{domain, target, object_class}];
    rule.requests.insert(kTerminalRequests.begin(), kTerminalRequests.end());
    rule.reasons.Add("asking whether it is a terminal, its size and its modes");
  };
  for (const std::string& pipe : {std::string("fifo_file"), std::string("unix_stream_socket")}) {
    policy.Allow({domain, attribute, pipe}, Known(pipe, stream),
                 "standard input and output from the engine");
    narrow(attribute, pipe);
  }
  // The container's terminal, or its /dev/null.
  Allow(files, "chr_file", stream, "a terminal as standard input and output");
  narrow(files, "chr_file");
}

/// Of engines that map users, as those of ordinary users do, a container's capabilities are those
/// of a user namespace, for which the kernel asks other classes (cred_has_capability() in
/// security/selinux/hooks.c).
void RuleBuilder::AddMappedCapability(const std::string& object_class,
                                      const std::string& permission, const std::string& place) {
  const std::string mapped = object_class == "capability2" ? "cap2_userns" : "cap_userns";
  Allow("self", mapped, {permission}, place);
}

/// What a host without SELinux cannot show: libselinux, finding that this kernel has SELinux, looks
/// for its file system, which containers do not get (libselinux/src/init.c).
void RuleBuilder::AddLibraryInContainer(const std::string& place) {
  const auto allow_at = [&](const std::string& path, FileClass file_class,
                            const std::string& object_class,
                            const std::set<std::string>& permissions) {
    if (const std::string type = labels_->TypeOf(path, file_class); !type.empty()) {
      Allow(type, object_class, permissions, place);
    }
  };
  allow_at("/sys", FileClass::kDirectory, "dir", {"search"});
  allow_at("/sys", FileClass::kDirectory, "filesystem", {"getattr"});
  allow_at("/proc", FileClass::kDirectory, "dir", {"search"});
  allow_at("/proc/filesystems", FileClass::kFile, "file", {"getattr", "open", "read"});
  allow_at("/proc/mounts", FileClass::kSymlink, "lnk_file", {"getattr", "read"});
  allow_at("/proc/self", FileClass::kSymlink, "lnk_file", {"getattr", "read"});
  Allow("self", "dir", {"search"}, place);
  Allow("self", "file", {"getattr", "open", "read"}, place);
}

}  // namespace cordon
