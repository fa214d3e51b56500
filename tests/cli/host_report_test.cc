#include "cli/host_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "common/text.h"
#include "runtime/landlock_access.h"

namespace cordon::cli {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kAllCapabilities = (std::uint64_t{1} << 41) - 1;

/// A host that has everything, seen by root.
HostFacts Complete() {
  HostFacts facts;
  facts.features.permitted_capabilities = kAllCapabilities;
  facts.features.landlock_abi = kCompleteLandlockAbi;
  facts.features.selinux = SelinuxState::kEnforcing;
  facts.trace.yama_scope = 0;
  facts.trace.has_sys_ptrace = true;
  facts.kernel = "Linux 6.12.0 x86_64";
  facts.seccomp_actions = {"allow", "errno", "user_notif"};
  facts.max_user_namespaces = 1000;
  facts.time_namespaces = true;
  facts.idmapped_mounts = true;
  facts.controllers = {{"cpu", ControllerUse::kUsable}, {"memory", ControllerUse::kUsable}};
  facts.has_cgroup_v2 = true;
  facts.systemd = true;
  facts.programs = {"newuidmap", "newgidmap", "pasta", "ip", "nsenter"};
  facts.libnftables = true;
  return facts;
}

/// The same, seen by an ordinary user.
HostFacts Ordinary() {
  HostFacts facts = Complete();
  facts.features.uid = 1000;
  facts.features.permitted_capabilities = 0;
  facts.trace.has_sys_ptrace = false;
  facts.subordinate_ids = true;
  return facts;
}

Finding Of(const HostFacts& facts, std::string_view name) {
  const std::vector<Finding> findings = DiagnoseHost(facts);
  const auto found = std::ranges::find(findings, name, &Finding::name);
  EXPECT_NE(found, findings.end()) << name;
  return found == findings.end() ? Finding{} : *found;
}

TEST(DiagnoseHost, ACompleteHostHasEverything) {
  for (const Finding& finding : DiagnoseHost(Complete())) {
    EXPECT_EQ(finding.state, FindingState::kPresent) << finding.name << ": " << finding.what;
    EXPECT_EQ(finding.advice, "") << finding.name;
  }
  EXPECT_TRUE(CanEnforce(DiagnoseHost(Complete())));
  EXPECT_TRUE(CanEnforce(DiagnoseHost(Ordinary())));
}

struct Lack {
  const char* name;  ///< of the finding
  void (*take)(HostFacts&);
  FindingState state;
  bool can_enforce;
  const char* advice;  ///< part of it
};

const Lack kLacksOfRoot[] = {
    {"kernel", [](HostFacts& f) { f.missing_calls = {"openat2"}; }, FindingState::kMissing, false,
     "Linux 5.12"},
    {"kernel", [](HostFacts& f) { f.trace.has_proc = false; }, FindingState::kMissing, false,
     "mount -t proc"},
    {"ptrace", [](HostFacts& f) { f.trace.yama_scope = 3; }, FindingState::kMissing, false,
     "next boot"},
    {"ptrace", [](HostFacts& f) { f.trace.already_traced = true; }, FindingState::kMissing, false,
     "without the debugger"},
    {"seccomp", [](HostFacts& f) { f.seccomp_actions.clear(); }, FindingState::kMissing, false,
     "CONFIG_SECCOMP_FILTER"},
    {"seccomp", [](HostFacts& f) { f.features.seccomp_notify = false; }, FindingState::kLimited,
     true, "--report none"},
    {"namespaces", [](HostFacts& f) { f.namespaces_errno = EPERM; }, FindingState::kMissing, false,
     ""},
    {"user namespaces", [](HostFacts& f) { f.user_namespace_errno = EPERM; },
     FindingState::kLimited, true, "--userns does not work"},
    {"time namespaces", [](HostFacts& f) { f.time_namespaces = false; }, FindingState::kMissing,
     true, "CONFIG_TIME_NS"},
    {"Landlock",
     [](HostFacts& f) {
       f.features.landlock_abi = 0;
       f.features.selinux = SelinuxState::kAbsent;
     },
     FindingState::kMissing, false, "lsm=landlock"},
    {"Landlock", [](HostFacts& f) { f.features.landlock_abi = 0; }, FindingState::kMissing, true,
     "lsm=landlock"},
    {"Landlock", [](HostFacts& f) { f.features.landlock_abi = 1; }, FindingState::kLimited, true,
     "newer kernel"},
    {"SELinux", [](HostFacts& f) { f.features.selinux = SelinuxState::kPermissive; },
     FindingState::kLimited, true, "setenforce 1"},
    {"cgroups", [](HostFacts& f) { f.controllers["memory"] = ControllerUse::kMissing; },
     FindingState::kLimited, true, "cannot be set"},
    {"cgroups",
     [](HostFacts& f) {
       f.controllers = {{"memory", ControllerUse::kMissing}};
       f.has_cgroup_v2 = false;
     },
     FindingState::kMissing, true, "mount -t cgroup2"},
    {"private network", [](HostFacts& f) { f.libnftables = false; }, FindingState::kMissing, true,
     "libnftables1"},
    {"private network", [](HostFacts& f) { f.programs.erase("ip"); }, FindingState::kMissing, true,
     "iproute2"},
    {"idmapped mounts", [](HostFacts& f) { f.idmapped_mounts = false; }, FindingState::kMissing,
     true, "5.12"},
    {"resource limits",
     [](HostFacts& f) { f.features.permitted_capabilities &= ~(std::uint64_t{1} << 24); },
     FindingState::kLimited, true, "with a warning"},
};

const Lack kLacksOfUsers[] = {
    {"ptrace", [](HostFacts& f) { f.trace.yama_scope = 1; }, FindingState::kLimited, true,
     "--pid needs root"},
    {"ptrace", [](HostFacts& f) { f.trace.yama_scope = 2; }, FindingState::kMissing, false,
     "as root"},
    {"user namespaces",
     [](HostFacts& f) {
       f.user_namespace_errno = EPERM;
       f.apparmor_restricts = 1;
     },
     FindingState::kMissing, false, "apparmor_restrict_unprivileged_userns=0"},
    {"user namespaces",
     [](HostFacts& f) {
       f.user_namespace_errno = EPERM;
       f.unprivileged_user_namespaces = 0;
     },
     FindingState::kMissing, false, "kernel.unprivileged_userns_clone=1"},
    {"user namespaces",
     [](HostFacts& f) {
       f.user_namespace_errno = ENOSPC;
       f.max_user_namespaces = 0;
     },
     FindingState::kMissing, false, "user.max_user_namespaces="},
    {"user namespaces",
     [](HostFacts& f) {
       f.user_namespace_errno = EPERM;
       f.in_container = true;
     },
     FindingState::kMissing, false, "docker run"},
    {"user ids", [](HostFacts& f) { f.subordinate_ids = false; }, FindingState::kLimited, true,
     "/etc/subuid"},
    {"user ids", [](HostFacts& f) { f.programs.erase("newuidmap"); }, FindingState::kLimited, true,
     "package uidmap"},
    {"cgroups", [](HostFacts& f) { f.controllers["cpu"] = ControllerUse::kNotDelegated; },
     FindingState::kLimited, true, "Delegate=yes"},
    {"private network", [](HostFacts& f) { f.tun_errno = EACCES; }, FindingState::kMissing, true,
     "/dev/net/tun"},
    {"private network", [](HostFacts& f) { f.programs.erase("pasta"); }, FindingState::kMissing,
     true, "install passt"},
};

void Check(const Lack& lack, HostFacts facts) {
  lack.take(facts);
  const Finding finding = Of(facts, lack.name);
  EXPECT_EQ(finding.state, lack.state) << lack.name << ": " << finding.what;
  EXPECT_THAT(finding.advice, HasSubstr(lack.advice)) << lack.name;
  EXPECT_EQ(CanEnforce(DiagnoseHost(facts)), lack.can_enforce) << lack.name;
}

TEST(DiagnoseHost, SaysWhatIsMissingAndWhatToDo) {
  for (const Lack& lack : kLacksOfRoot) {
    Check(lack, Complete());
  }
  for (const Lack& lack : kLacksOfUsers) {
    Check(lack, Ordinary());
  }
}

TEST(DiagnoseHost, SaysWhatAnAbiOfLandlockCannotHold) {
  HostFacts facts = Complete();
  EXPECT_THAT(Of(facts, "Landlock").what, HasSubstr("cannot hold stat, access, chmod, chown"));
  EXPECT_THAT(Of(facts, "Landlock").what, ::testing::Not(HasSubstr("truncate")));
  facts.features.landlock_abi = 2;
  EXPECT_THAT(Of(facts, "Landlock").what, HasSubstr("truncate, ioctl on devices"));
}

TEST(ReportText, FitsEightyColumns) {
  HostFacts facts = Ordinary();
  facts.user_namespace_errno = EPERM;
  facts.apparmor_restricts = 1;
  facts.subordinate_ids = false;
  facts.programs.clear();
  facts.tun_errno = EACCES;
  facts.features.landlock_abi = 1;
  facts.controllers = {{"memory", ControllerUse::kNotDelegated}};
  const std::string text = ReportText(DiagnoseHost(facts));
  for (const std::string& line : Split(text, '\n')) {
    EXPECT_LE(line.size(), 82U) << line;  // an ellipsis has three bytes
  }
  EXPECT_THAT(text, HasSubstr("missing  user namespaces  cannot be made"));
  EXPECT_THAT(text, HasSubstr("\n                          -> Ubuntu's AppArmor"));
}

TEST(ReportJson, SaysWhetherPoliciesCanBeEnforced) {
  EXPECT_THAT(ReportJson(DiagnoseHost(Complete())), HasSubstr("\"can_enforce\": true"));
  HostFacts facts = Complete();
  facts.seccomp_actions.clear();
  EXPECT_THAT(ReportJson(DiagnoseHost(facts)), HasSubstr("\"can_enforce\": false"));
}

}  // namespace
}  // namespace cordon::cli
