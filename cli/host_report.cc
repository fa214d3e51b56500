#include "cli/host_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "common/text.h"
#include "runtime/landlock_access.h"

namespace cordon::cli {
namespace {

constexpr int kCapSysAdmin = 21;  // linux/capability.h
constexpr int kCapSysResource = 24;
constexpr int kNoPtrace = 3;  // kernel.yama.ptrace_scope

bool Has(const HostFacts& facts, int capability) {
  return (facts.features.permitted_capabilities >> capability & 1) != 0;
}

bool IsPrivileged(const HostFacts& facts) {
  return Has(facts, kCapSysAdmin);
}

std::string In(const HostFacts& facts) {
  return facts.in_container ? ", in a container" : "";
}

Finding Kernel(const HostFacts& facts) {
  Finding finding{
      "kernel", FindingState::kPresent, FindingWeight::kEssential, facts.kernel + In(facts), {}};
  if (!facts.trace.has_proc) {
    finding.state = FindingState::kMissing;
    finding.what += ", without /proc";
    finding.advice = "mount -t proc proc /proc";
  } else if (!facts.missing_calls.empty()) {
    finding.state = FindingState::kMissing;
    finding.what +=
        ", without " + Join({facts.missing_calls.begin(), facts.missing_calls.end()}, ", ");
    finding.advice = facts.in_container
                         ? "the container's seccomp profile refuses them (docker run "
                           "--security-opt seccomp=unconfined), or Linux 5.12 is needed"
                         : "Linux 5.12 or newer is needed";
  }
  return finding;
}

Finding Tracing(const HostFacts& facts) {
  const TraceSurroundings& trace = facts.trace;
  const int scope = trace.yama_scope.value_or(0);
  Finding finding{"ptrace",
                  FindingState::kPresent,
                  FindingWeight::kEssential,
                  trace.yama_scope ? fmt::format("kernel.yama.ptrace_scope is {}", scope)
                                   : "no Yama in this kernel",
                  {}};
  if (scope >= kNoPtrace) {
    finding.state = FindingState::kMissing;
    finding.advice = "nothing can be learned until the next boot: set it lower in sysctl.d";
  } else if (scope == 2 && !trace.has_sys_ptrace) {
    finding.state = FindingState::kMissing;
    finding.advice = "run cordon profile as root, or sysctl kernel.yama.ptrace_scope=1";
  } else if (trace.already_traced) {
    finding.state = FindingState::kMissing;
    finding.what = "cordon itself is being traced";
    finding.advice = "run it without the debugger";
  } else if (scope == 1 && !trace.has_sys_ptrace) {
    finding.state = FindingState::kLimited;
    finding.advice = "profile --pid needs root, or sysctl kernel.yama.ptrace_scope=0";
  }
  return finding;
}

Finding Seccomp(const HostFacts& facts) {
  Finding finding{"seccomp",
                  FindingState::kPresent,
                  FindingWeight::kEssential,
                  "filters, and notification of refused calls",
                  {}};
  if (facts.seccomp_actions.empty()) {
    finding.state = FindingState::kMissing;
    finding.what = "no filters";
    finding.advice = "a kernel with CONFIG_SECCOMP_FILTER is needed";
  } else if (!facts.features.seccomp_notify) {
    finding.state = FindingState::kLimited;
    finding.what = "filters, but no notification of refused calls";
    finding.advice = "run --report none enforces without reports; Linux 5.0 has it";
  }
  return finding;
}

/// Why a user namespace could not be made, and what to do.
std::string UserNamespaceAdvice(const HostFacts& facts) {
  if (facts.apparmor_restricts.value_or(0) != 0) {
    return "Ubuntu's AppArmor restricts them: sysctl "
           "kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile for cordon "
           "with \"userns,\", or run cordon as root";
  }
  if (facts.unprivileged_user_namespaces.value_or(1) == 0) {
    return "sysctl kernel.unprivileged_userns_clone=1, or run cordon as root";
  }
  if (facts.max_user_namespaces.value_or(1) == 0) {
    return "sysctl user.max_user_namespaces=10000, or run cordon as root";
  }
  return facts.in_container ? "the container refuses them: docker run --security-opt "
                              "seccomp=unconfined, or --privileged"
                            : "run cordon as root";
}

Finding UserNamespaces(const HostFacts& facts) {
  const bool needed = !IsPrivileged(facts);
  Finding finding{"user namespaces",
                  FindingState::kPresent,
                  needed ? FindingWeight::kEssential : FindingWeight::kOptional,
                  "can be made",
                  {}};
  if (facts.user_namespace_errno != 0) {
    finding.state = needed ? FindingState::kMissing : FindingState::kLimited;
    finding.what = fmt::format("cannot be made: {}", std::strerror(facts.user_namespace_errno));
    finding.advice = (needed ? "" : "run --userns does not work: ") + UserNamespaceAdvice(facts);
  }
  return finding;
}

Finding Namespaces(const HostFacts& facts) {
  Finding finding{"namespaces",
                  FindingState::kPresent,
                  FindingWeight::kEssential,
                  "mount, pid, network, ipc and uts can be made",
                  {}};
  if (facts.namespaces_errno != 0) {
    finding.state = FindingState::kMissing;
    finding.what = fmt::format("cannot be made: {}", std::strerror(facts.namespaces_errno));
    finding.advice = IsPrivileged(facts) || !facts.in_container
                         ? "see user namespaces"
                         : "root of a container needs docker run --cap-add SYS_ADMIN, or "
                           "user namespaces";
  }
  return finding;
}

Finding TimeNamespaces(const HostFacts& facts) {
  if (facts.time_namespaces) {
    return {"time namespaces",
            FindingState::kPresent,
            FindingWeight::kOptional,
            "run --time-offset",
            {}};
  }
  return {"time namespaces", FindingState::kMissing, FindingWeight::kOptional, "none",
          "run --time-offset needs Linux 5.6 with CONFIG_TIME_NS"};
}

Finding Cgroups(const HostFacts& facts) {
  std::vector<std::string> usable;
  std::vector<std::string> refused;
  std::vector<std::string> missing;
  for (const auto& [name, use] : facts.controllers) {
    (use == ControllerUse::kUsable         ? usable
     : use == ControllerUse::kNotDelegated ? refused
                                           : missing)
        .push_back(name);
  }
  const std::string_view version = facts.has_cgroup_v1 && facts.has_cgroup_v2 ? "v1 and v2"
                                   : facts.has_cgroup_v1                      ? "v1"
                                   : facts.has_cgroup_v2                      ? "v2"
                                                                              : "not mounted";
  Finding finding{
      "cgroups", FindingState::kPresent, FindingWeight::kOptional, std::string(version), {}};
  if (!usable.empty()) {
    finding.what += ": " + Join(usable, ", ");
  }
  if (refused.empty() && missing.empty()) {
    return finding;
  }
  finding.state = usable.empty() ? FindingState::kMissing : FindingState::kLimited;
  std::vector<std::string> advice;
  if (!refused.empty()) {
    finding.what += "; not for this user: " + Join(refused, ", ");
    advice.emplace_back(facts.systemd
                            ? "systemd-run --user --scope -p Delegate=yes cordon run … gives one"
                            : "limits need root, or a cgroup that is this user's to write");
  }
  if (!missing.empty()) {
    finding.what += "; missing: " + Join(missing, ", ");
    advice.emplace_back(facts.has_cgroup_v1 || facts.has_cgroup_v2
                            ? "these limits cannot be set here"
                            : "mount -t cgroup2 none /sys/fs/cgroup");
  }
  finding.advice = Join(advice, "; ");
  return finding;
}

Finding Systemd(const HostFacts& facts) {
  return {"systemd",
          FindingState::kPresent,
          FindingWeight::kOptional,
          facts.systemd ? "runs this machine" : "does not run this machine",
          {}};
}

Finding Selinux(const HostFacts& facts) {
  switch (facts.features.selinux) {
    case SelinuxState::kEnforcing:
      return {"SELinux",
              FindingState::kPresent,
              FindingWeight::kOptional,
              "enforcing: holds the file part of policies",
              {}};
    case SelinuxState::kPermissive:
      return {"SELinux", FindingState::kLimited, FindingWeight::kOptional,
              "permissive: holds nothing", "setenforce 1"};
    default:
      return {"SELinux",
              FindingState::kLimited,
              FindingWeight::kOptional,
              "not in this kernel: Landlock holds the file part of policies",
              {}};
  }
}

Finding Landlock(const HostFacts& facts) {
  const int abi = facts.features.landlock_abi;
  const bool needed = facts.features.selinux != SelinuxState::kEnforcing;
  const FindingWeight weight = needed ? FindingWeight::kEssential : FindingWeight::kOptional;
  if (abi == 0) {
    return {"Landlock", FindingState::kMissing, weight, "not in this kernel",
            "Linux 5.13 has it; boot with lsm=landlock,… where it is not switched on" +
                std::string(needed ? ", or use SELinux" : "")};
  }
  Finding finding{"Landlock",
                  FindingState::kPresent,
                  weight,
                  fmt::format("ABI {}; cannot hold {}", abi, Join(LandlockGaps(abi), ", ")),
                  {}};
  if (abi < kCompleteLandlockAbi) {
    finding.state = FindingState::kLimited;
    finding.advice = "a newer kernel holds more: Linux 6.10 has ABI 5";
  }
  return finding;
}

Finding UserIds(const HostFacts& facts) {
  Finding finding{
      "user ids", FindingState::kPresent, FindingWeight::kOptional, "root maps every id", {}};
  if (IsPrivileged(facts)) {
    return finding;
  }
  const bool programs =
      facts.programs.contains("newuidmap") && facts.programs.contains("newgidmap");
  finding.what = "one user inside; a range is there";
  if (!facts.subordinate_ids || !programs) {
    finding.state = FindingState::kLimited;
    finding.what = "one user inside";
    finding.advice =
        std::string("more need ") +
        (facts.subordinate_ids ? ""
                               : "a range in /etc/subuid and /etc/subgid (usermod --add-subuids "
                                 "100000-165535 --add-subgids 100000-165535 USER)") +
        (facts.subordinate_ids || programs ? "" : " and ") +
        (programs ? "" : "newuidmap (package uidmap)");
  }
  return finding;
}

Finding PrivateNetwork(const HostFacts& facts) {
  Finding finding{"private network", FindingState::kPresent, FindingWeight::kOptional, {}, {}};
  std::vector<std::string> advice;
  if (IsPrivileged(facts)) {
    finding.what = "virtual devices and nftables";
    if (!facts.programs.contains("ip") || !facts.programs.contains("nsenter")) {
      advice.emplace_back("install iproute2 and util-linux");
    }
    if (!facts.libnftables) {
      advice.emplace_back("install libnftables1");
    }
  } else {
    finding.what = "pasta";
    if (!facts.programs.contains("pasta")) {
      advice.emplace_back("install passt");
    }
    if (facts.tun_errno != 0) {
      advice.push_back(
          fmt::format("/dev/net/tun ({}): as root, modprobe tun; chmod 666 "
                      "/dev/net/tun",
                      std::strerror(facts.tun_errno)));
    }
  }
  if (!advice.empty()) {
    finding.state = FindingState::kMissing;
    finding.what = "none: run --network private does not work";
    finding.advice = Join(advice, "; ");
  }
  return finding;
}

Finding IdMappedMounts(const HostFacts& facts) {
  return facts.idmapped_mounts
             ? Finding{"idmapped mounts",
                       FindingState::kPresent,
                       FindingWeight::kOptional,
                       "in this kernel",
                       {}}
             : Finding{"idmapped mounts", FindingState::kMissing, FindingWeight::kOptional,
                       "not in this kernel", "Linux 5.12 has them"};
}

Finding Rlimits(const HostFacts& facts) {
  Finding finding{
      "resource limits", FindingState::kPresent, FindingWeight::kOptional, "can be raised", {}};
  if (!Has(facts, kCapSysResource)) {
    finding.state = FindingState::kLimited;
    finding.what = "cannot be raised above this process's own";
    finding.advice = facts.in_container
                         ? "run sets higher ones to what there is, with a warning: docker run "
                           "--cap-add SYS_RESOURCE, or --ulimit"
                         : "run sets higher ones to what there is, with a warning";
  }
  return finding;
}

std::string_view StateName(FindingState state) {
  constexpr std::array<std::string_view, 3> kNames = {"ok", "limited", "missing"};
  return kNames.at(static_cast<std::size_t>(state));
}

/// `text` from column `indent`, in lines of at most 80 columns.
std::string Wrapped(std::string_view text, std::size_t indent) {
  constexpr std::size_t kColumns = 80;
  std::string lines;
  std::size_t column = indent;
  for (const std::string& word : Split(text, ' ')) {
    // Columns, not bytes: the bytes of a character after its first are 10xxxxxx.
    const auto width = static_cast<std::size_t>(std::ranges::count_if(
        word, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
    if (column != indent && column + 1 + width > kColumns) {
      lines += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column != indent) {
      lines += ' ';
      ++column;
    }
    lines += word;
    column += width;
  }
  return lines + "\n";
}

}  // namespace

std::vector<Finding> DiagnoseHost(const HostFacts& facts) {
  std::vector<Finding> findings;
  for (Finding (*const look)(const HostFacts&) :
       {Kernel, Tracing, Seccomp, Namespaces, UserNamespaces, UserIds, TimeNamespaces, Landlock,
        Selinux, Cgroups, Systemd, PrivateNetwork, IdMappedMounts, Rlimits}) {
    findings.push_back(look(facts));
  }
  return findings;
}

bool CanEnforce(const std::vector<Finding>& findings) {
  return std::ranges::none_of(findings, [](const Finding& finding) {
    return finding.state == FindingState::kMissing && finding.weight == FindingWeight::kEssential;
  });
}

std::string ReportText(const std::vector<Finding>& findings) {
  constexpr std::size_t kIndent = 26;
  std::string text;
  for (const Finding& finding : findings) {
    text += fmt::format("{:<7}  {:<15}  ", StateName(finding.state), finding.name);
    text += Wrapped(finding.what, kIndent);
    if (!finding.advice.empty()) {
      text += std::string(kIndent, ' ') + Wrapped("-> " + finding.advice, kIndent);
    }
  }
  return text;
}

std::string ReportJson(const std::vector<Finding>& findings) {
  nlohmann::ordered_json json;
  json["can_enforce"] = CanEnforce(findings);
  json["items"] = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    json["items"].push_back({{"name", finding.name},
                             {"state", StateName(finding.state)},
                             {"essential", finding.weight == FindingWeight::kEssential},
                             {"what", finding.what},
                             {"advice", finding.advice}});
  }
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace cordon::cli
