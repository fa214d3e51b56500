#include "runtime/launch_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/mount.h>
#include <linux/sched.h>

#include <algorithm>

#include "model/default_sandbox.h"
#include "runtime/landlock_access.h"

namespace cordon {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::uint64_t kAllCapabilities = (std::uint64_t{1} << 41) - 1;
constexpr std::uint64_t kSysResource = std::uint64_t{1} << 24;

HostFeatures RootHost() {
  HostFeatures host;
  host.permitted_capabilities = kAllCapabilities;
  host.landlock_abi = 7;
  host.cgroups.v1 = {
      {"memory", "/cg/memory/user"}, {"cpu", "/cg/cpu,cpuacct"}, {"pids", "/cg/pids"}};
  host.cgroups.v1_roots = {
      {"memory", "/cg/memory"}, {"cpu", "/cg/cpu,cpuacct"}, {"pids", "/cg/pids"}};
  host.rlimits[RLIMIT_NOFILE] = {1024, 4096};
  return host;
}

HostFeatures OrdinaryHost() {
  HostFeatures host = RootHost();
  host.uid = 1000;
  host.gid = 100;
  host.permitted_capabilities = 0;
  return host;
}

LaunchRequest Request() {
  LaunchRequest request;
  request.config = DefaultSandbox();
  request.config.arguments = {"true"};
  request.environment = {"PATH=/usr/bin:/bin", "HOME=/root"};
  return request;
}

LaunchRequest PolicyRequest() {
  LaunchRequest request = Request();
  request.has_policy = true;
  request.config.selinux_label = "system_u:system_r:web_t:s0";
  request.config.landlock = std::vector<LandlockRule>{{"/etc/web", {"read_file"}}};
  request.filter = {sock_filter{6, 0, 0, 0x7fff0000}};
  return request;
}

LaunchPlan MustPlan(const LaunchRequest& request, const HostFeatures& host) {
  Expected<LaunchPlan> plan = PlanLaunch(request, host);
  EXPECT_TRUE(plan.has_value()) << plan.error().message;
  return plan.value_or(LaunchPlan{});
}

Error MustFail(const LaunchRequest& request, const HostFeatures& host) {
  const Expected<LaunchPlan> plan = PlanLaunch(request, host);
  EXPECT_FALSE(plan.has_value());
  return plan ? Error{} : plan.error();
}

TEST(PlanLaunch, RootGetsNoUserNamespaceUnlessAsked) {
  EXPECT_EQ(MustPlan(Request(), RootHost()).clone_flags & CLONE_NEWUSER, 0U);
  LaunchRequest request = Request();
  request.user_namespace = UserNamespaceUse::kAlways;
  const LaunchPlan plan = MustPlan(request, RootHost());
  EXPECT_NE(plan.clone_flags & CLONE_NEWUSER, 0U);
  EXPECT_EQ(plan.uid_maps, (std::vector<IdMap>{{0, 0, 0xffffffffU}}));
  EXPECT_FALSE(plan.deny_setgroups);
}

TEST(PlanLaunch, WithoutNoNewPrivilegesTheFilterHasToLetTheLastCapabilityGo) {
  LaunchRequest request = PolicyRequest();
  EXPECT_EQ(MustPlan(request, RootHost()).CapabilitiesToConfine(), 0U);
  request.config.no_new_privileges = false;
  EXPECT_EQ(MustPlan(request, RootHost()).CapabilitiesToConfine(), std::uint64_t{1} << 21);
  request.filter = {sock_filter{6, 0, 0, 0x00050001}};
  EXPECT_THAT(MustFail(request, RootHost()).message, HasSubstr("--no-new-privileges off"));
  request.config.uid = 33;
  EXPECT_THAT(MustFail(request, RootHost()).message, HasSubstr("noNewPrivileges must be true"));
}

TEST(PlanLaunch, AnOrdinaryUserBecomesTheConfiguredUserInside) {
  LaunchRequest request = Request();
  request.config.uid = 33;
  const LaunchPlan plan = MustPlan(request, OrdinaryHost());
  EXPECT_NE(plan.clone_flags & CLONE_NEWUSER, 0U);
  EXPECT_EQ(plan.uid_maps, (std::vector<IdMap>{{33, 1000, 1}}));
  EXPECT_EQ(plan.gid_maps, (std::vector<IdMap>{{0, 100, 1}}));
  EXPECT_TRUE(plan.deny_setgroups);
  EXPECT_FALSE(plan.set_groups);
}

TEST(PlanLaunch, TheCgroupNamespaceIsNotMadeByClone) {
  const LaunchPlan plan = MustPlan(Request(), RootHost());
  EXPECT_TRUE(plan.cgroup_namespace);
  EXPECT_EQ(plan.clone_flags & CLONE_NEWCGROUP, 0U);
  EXPECT_NE(plan.clone_flags & CLONE_NEWPID, 0U);
}

TEST(PlanLaunch, NothingIsIsolatedWithoutPidAndMountNamespaces) {
  LaunchRequest request = Request();
  request.config.namespaces.erase(Namespace::kPid);
  EXPECT_EQ(MustFail(request, RootHost()).code, ErrorCode::kInvalidInput);
}

TEST(PlanLaunch, ClocksAreSetInATimeNamespaceOnly) {
  LaunchRequest request = Request();
  EXPECT_EQ(MustPlan(request, RootHost()).time_offsets, "");
  request.config.time_offsets = {{"boottime", {10, 5}}, {"monotonic", {-1, 0}}};
  EXPECT_EQ(MustFail(request, RootHost()).code, ErrorCode::kInvalidInput);
  request.config.namespaces.insert(Namespace::kTime);
  EXPECT_EQ(MustPlan(request, RootHost()).time_offsets, "boottime 10 5\nmonotonic -1 0\n");
  request.config.time_offsets.clear();
  EXPECT_EQ(MustPlan(request, RootHost()).time_offsets, "monotonic 0 0\n");
}

TEST(PlanLaunch, TheHostsIpcIsSharedOnlyWhenThatIsSaid) {
  LaunchRequest request = Request();
  request.config.namespaces.erase(Namespace::kIpc);
  EXPECT_EQ(MustFail(request, RootHost()).code, ErrorCode::kInvalidInput);
  request.degraded.insert(PolicyPart::kIpc);
  EXPECT_EQ(MustPlan(request, RootHost()).clone_flags & CLONE_NEWIPC, 0U);
}

TEST(PlanLaunch, HostNetworkLeavesOutTheNamespaceAndLoopback) {
  LaunchRequest request = Request();
  request.config.network = NetworkMode::kHost;
  const LaunchPlan plan = MustPlan(request, RootHost());
  EXPECT_EQ(plan.clone_flags & CLONE_NEWNET, 0U);
  EXPECT_FALSE(plan.loopback);
  request.config.published = {{80, 80}};
  EXPECT_EQ(MustFail(request, RootHost()).code, ErrorCode::kInvalidInput);
}

TEST(PlanLaunch, APrivateNetworkIsMadeByWhatTheCallerMayUse) {
  LaunchRequest request = Request();
  request.config.network = NetworkMode::kPrivate;
  request.config.published = {{53, 53, Transport::kUdp}};
  for (const auto& [host, technique] : {std::pair(RootHost(), NetworkTechnique::kVeth),
                                        std::pair(OrdinaryHost(), NetworkTechnique::kPasta)}) {
    const LaunchPlan plan = MustPlan(request, host);
    EXPECT_EQ(plan.private_network, technique);
    EXPECT_NE(plan.clone_flags & CLONE_NEWNET, 0U);
    EXPECT_EQ(plan.published, request.config.published);
  }
  request.config.network = NetworkMode::kNone;
  EXPECT_EQ(MustFail(request, RootHost()).code, ErrorCode::kInvalidInput);
  request.config.published = {{80, 80}};
  EXPECT_FALSE(MustPlan(request, RootHost()).private_network.has_value());
}

TEST(PlanLaunch, SysfsIsBoundWhereItMayNotBeMounted) {
  LaunchRequest request = Request();
  request.config.network = NetworkMode::kHost;
  const LaunchPlan plan = MustPlan(request, OrdinaryHost());
  const auto sys = std::ranges::find(plan.mounts, "/sys", &MountStep::destination);
  ASSERT_NE(sys, plan.mounts.end());
  EXPECT_EQ(sys->kind, MountKind::kBind);
  EXPECT_NE(sys->attributes_set & MOUNT_ATTR_RDONLY, 0U);
}

TEST(PlanLaunch, FollowsPathForCommandsWithoutSlash) {
  EXPECT_EQ(MustPlan(Request(), RootHost()).executables,
            (std::vector<std::string>{"/usr/bin/true", "/bin/true"}));
  LaunchRequest request = Request();
  request.config.arguments = {"./true"};
  EXPECT_EQ(MustPlan(request, RootHost()).executables, std::vector<std::string>{"./true"});
  request.config.arguments.clear();
  EXPECT_EQ(MustFail(request, RootHost()).code, ErrorCode::kInvalidInput);
}

TEST(PlanLaunch, TheCallersEnvironmentWins) {
  LaunchRequest request = Request();
  request.config.environment = {"PATH=/nowhere", "EXTRA=1"};
  EXPECT_EQ(MustPlan(request, RootHost()).environment,
            (std::vector<std::string>{"PATH=/usr/bin:/bin", "HOME=/root", "EXTRA=1"}));
}

TEST(PlanLaunch, CapabilitiesThatTheCallerLacksAreLeftOutAloud) {
  LaunchRequest request = Request();
  request.config.capabilities = {"CAP_CHOWN", "CAP_SYS_RESOURCE"};
  HostFeatures host = RootHost();
  host.permitted_capabilities &= ~kSysResource;
  const LaunchPlan plan = MustPlan(request, host);
  EXPECT_EQ(plan.capabilities, 1U);
  EXPECT_THAT(plan.warnings, Contains(HasSubstr("CAP_SYS_RESOURCE")));
  request.config.capabilities = {"CAP_FLY"};
  EXPECT_THAT(MustFail(request, host).message, HasSubstr("CAP_FLY"));
}

TEST(PlanLaunch, AnotherUserHasNoEffectiveCapabilities) {
  LaunchRequest request = Request();
  request.config.uid = 33;
  const LaunchPlan plan = MustPlan(request, RootHost());
  EXPECT_NE(plan.capabilities, 0U);
  EXPECT_EQ(plan.ExpectedEffective(), 0U);
}

TEST(PlanLaunch, RlimitsOverTheCallersAreClampedAloud) {
  LaunchRequest request = Request();
  request.config.rlimits = {{"RLIMIT_NOFILE", 65536, 65536}};
  HostFeatures host = RootHost();
  EXPECT_EQ(MustPlan(request, host).rlimits.at(0).limit.rlim_max, 65536U);
  host.permitted_capabilities &= ~kSysResource;
  const LaunchPlan plan = MustPlan(request, host);
  EXPECT_EQ(plan.rlimits.at(0).limit.rlim_max, 4096U);
  EXPECT_EQ(plan.rlimits.at(0).limit.rlim_cur, 4096U);
  EXPECT_THAT(plan.warnings, Contains(HasSubstr("RLIMIT_NOFILE is held at 4096 instead of 65536")));
}

ResourceLimits AllLimits() {
  ResourceLimits limits;
  limits.memory_bytes = 1048576;
  limits.cpu_quota_us = 150000;
  limits.pids = 10;
  return limits;
}

TEST(PlanLaunch, LimitsGoToTheControllersOfV1) {
  LaunchRequest request = Request();
  request.config.limits = AllLimits();
  const LaunchPlan plan = MustPlan(request, RootHost());
  ASSERT_EQ(plan.cgroups.size(), 3U);
  EXPECT_EQ(plan.cgroups[0].parent, "/cg/memory/user");
  EXPECT_EQ(plan.cgroups[0].writes,
            (std::vector<CgroupStep::Write>{
                {"memory.limit_in_bytes", "1048576"},
                {"memory.memsw.limit_in_bytes", "1048576", CgroupStep::Rule::kWhereThere}}));
  EXPECT_EQ(plan.cgroups[1].writes,
            (std::vector<CgroupStep::Write>{{"cpu.cfs_period_us", "100000"},
                                            {"cpu.cfs_quota_us", "150000"}}));
  EXPECT_EQ(plan.cgroups[2].writes, (std::vector<CgroupStep::Write>{{"pids.max", "11"}}));
}

TEST(PlanLaunch, LimitsGoToOneFolderOfV2) {
  LaunchRequest request = Request();
  request.config.limits = AllLimits();
  HostFeatures host = RootHost();
  host.cgroups = {};
  host.cgroups.v2 = "/cg/user.slice";
  host.cgroups.v2_root = "/cg";
  const LaunchPlan plan = MustPlan(request, host);
  ASSERT_EQ(plan.cgroups.size(), 1U);
  EXPECT_EQ(plan.cgroups[0].version, CgroupVersion::kV2);
  EXPECT_EQ(plan.cgroups[0].controllers, (std::vector<std::string>{"memory", "cpu", "pids"}));
  EXPECT_THAT(plan.cgroups[0].writes, Contains(CgroupStep::Write{"cpu.max", "150000 100000"}));
  EXPECT_THAT(plan.cgroups[0].writes, Contains(CgroupStep::Write{"memory.max", "1048576"}));
}

TEST(PlanLaunch, AHybridIsUsedPerController) {
  LaunchRequest request = Request();
  request.config.limits = AllLimits();
  HostFeatures host = RootHost();
  host.cgroups.v1.erase("pids");
  host.cgroups.v2 = "/cg/unified";
  host.cgroups.v2_root = "/cg/unified";
  const LaunchPlan plan = MustPlan(request, host);
  ASSERT_EQ(plan.cgroups.size(), 3U);
  EXPECT_EQ(plan.cgroups[2].version, CgroupVersion::kV2);
}

TEST(PlanLaunch, ControllersThatShareAHierarchyShareAFolder) {
  LaunchRequest request = Request();
  request.config.limits = AllLimits();
  HostFeatures host = RootHost();
  host.cgroups.v1["pids"] = host.cgroups.v1["cpu"];
  EXPECT_EQ(MustPlan(request, host).cgroups.size(), 2U);
}

TEST(PlanLaunch, WithoutControllerAnAskedLimitFailsAndAProposedOneWarns) {
  LaunchRequest request = Request();
  request.config.limits.memory_bytes = 1;
  HostFeatures host = RootHost();
  host.cgroups = {};
  EXPECT_THAT(MustPlan(request, host).warnings, Contains(HasSubstr("memory limit is not held")));
  request.limit_origins.memory = LimitOrigin::kAsked;
  EXPECT_EQ(MustFail(request, host).code, ErrorCode::kUnsupported);
  request.degraded.insert(PolicyPart::kLimits);
  EXPECT_THAT(MustPlan(request, host).cgroups, IsEmpty());
}

/// Who holds the file part, over all that a host and a request may be.
struct FilePartCase {
  SelinuxState selinux;
  int landlock_abi;
  std::optional<FileHolder> required;
  std::optional<FileHolder> expected;  ///< nothing: an error
};

class FilePart : public ::testing::TestWithParam<FilePartCase> {};

INSTANTIATE_TEST_SUITE_P(
    Hosts, FilePart,
    ::testing::Values(FilePartCase{SelinuxState::kEnforcing, 7, {}, FileHolder::kSelinux},
                      FilePartCase{SelinuxState::kEnforcing, 0, {}, FileHolder::kSelinux},
                      FilePartCase{SelinuxState::kPermissive, 7, {}, FileHolder::kLandlock},
                      FilePartCase{SelinuxState::kAbsent, 7, {}, FileHolder::kLandlock},
                      FilePartCase{SelinuxState::kAbsent, 0, {}, {}},
                      FilePartCase{SelinuxState::kPermissive, 0, {}, {}},
                      FilePartCase{SelinuxState::kEnforcing, 7, FileHolder::kLandlock,
                                   FileHolder::kLandlock},
                      FilePartCase{SelinuxState::kEnforcing, 0, FileHolder::kLandlock, {}},
                      FilePartCase{SelinuxState::kAbsent, 7, FileHolder::kSelinux, {}},
                      FilePartCase{SelinuxState::kPermissive, 7, FileHolder::kSelinux, {}}));

TEST_P(FilePart, IsHeldOrFailsClosed) {
  HostFeatures host = RootHost();
  host.selinux = GetParam().selinux;
  host.landlock_abi = GetParam().landlock_abi;
  LaunchRequest request = PolicyRequest();
  request.required_holder = GetParam().required;
  const Expected<LaunchPlan> plan = PlanLaunch(request, host);
  ASSERT_EQ(plan.has_value(), GetParam().expected.has_value());
  if (!plan) {
    EXPECT_EQ(plan.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(plan.error().message, HasSubstr("--allow-degraded files"));
    request.degraded.insert(PolicyPart::kFiles);
    const LaunchPlan degraded = MustPlan(request, host);
    EXPECT_EQ(degraded.file_holder, std::nullopt);
    EXPECT_THAT(degraded.file_part, HasSubstr("NOT held"));
    return;
  }
  EXPECT_EQ(plan->file_holder, GetParam().expected);
  EXPECT_EQ(plan->selinux_label.empty(), GetParam().expected != FileHolder::kSelinux);
  EXPECT_EQ(plan->landlock.empty(), GetParam().expected != FileHolder::kLandlock);
  EXPECT_THAT(
      plan->file_part,
      HasSubstr(GetParam().expected == FileHolder::kLandlock ? "fails with EACCES" : "SELinux"));
}

TEST(PlanLaunch, LandlockHandlesWhatTheKernelKnowsAndNoMore) {
  LaunchRequest request = PolicyRequest();
  request.config.landlock =
      std::vector<LandlockRule>{{"/data", {"read_file", "truncate", "ioctl_dev"}}};
  HostFeatures host = RootHost();
  host.landlock_abi = 2;
  const LaunchPlan plan = MustPlan(request, host);
  EXPECT_EQ(plan.landlock_handled, 0x3fffU);
  EXPECT_EQ(plan.landlock.at(0).access, *LandlockAccessBit("read_file"));
  request.config.landlock = std::vector<LandlockRule>{{"/data", {"fly"}}};
  EXPECT_THAT(MustFail(request, host).message, HasSubstr("'fly'"));
}

TEST(PlanLaunch, AuditAppliesNoFileRule) {
  LaunchRequest request = PolicyRequest();
  request.enforcement = Enforcement::kAudit;
  const LaunchPlan plan = MustPlan(request, RootHost());
  EXPECT_EQ(plan.file_holder, std::nullopt);
  EXPECT_TRUE(plan.listener);
  request.reports = ViolationReports::kNone;
  EXPECT_EQ(MustFail(request, RootHost()).code, ErrorCode::kInvalidInput);
}

TEST(PlanLaunch, WithoutNotificationsOnlySilentReportsAreLeft) {
  LaunchRequest request = PolicyRequest();
  HostFeatures host = RootHost();
  host.seccomp_notify = false;
  EXPECT_EQ(MustFail(request, host).code, ErrorCode::kUnsupported);
  request.reports = ViolationReports::kNone;
  EXPECT_FALSE(MustPlan(request, host).listener);
}

TEST(PlanLaunch, ATerminalNeedsADevpts) {
  LaunchRequest request = Request();
  request.terminal = TerminalSize{30, 100};
  EXPECT_EQ(MustPlan(request, RootHost()).terminal, (TerminalSize{30, 100}));
  std::erase_if(request.config.mounts, [](const Mount& mount) { return mount.type == "devpts"; });
  EXPECT_EQ(MustFail(request, RootHost()).code, ErrorCode::kInvalidInput);
}

TEST(PlanEntry, HasATerminalOnlyWhereItAsksForOne) {
  LaunchRequest request = Request();
  request.terminal = TerminalSize{30, 100};
  const LaunchPlan plan = MustPlan(request, RootHost());
  EXPECT_FALSE(PlanEntry(plan, {{"/bin/sh"}, {}, "", {}}).terminal.has_value());
  EXPECT_EQ(PlanEntry(plan, {{"/bin/sh"}, {}, "", TerminalSize{1, 2}}).terminal,
            (TerminalSize{1, 2}));
}

TEST(PlanEntry, ChangesTheCommandAndNothingElse) {
  const LaunchPlan plan = MustPlan(PolicyRequest(), RootHost());
  LaunchPlan entry = PlanEntry(plan, {{"cat", "x"}, {"PATH=/opt", "NEW=1"}, "/srv", {}});
  EXPECT_EQ(entry.arguments, (std::vector<std::string>{"cat", "x"}));
  EXPECT_EQ(entry.executables, std::vector<std::string>{"/opt/cat"});
  EXPECT_EQ(entry.working_directory, "/srv");
  EXPECT_FALSE(entry.working_directory_optional);
  EXPECT_THAT(entry.environment, Contains("NEW=1"));
  EXPECT_THAT(entry.environment, Contains("PATH=/opt"));
  EXPECT_THAT(entry.environment, Not(Contains("PATH=/usr/bin:/bin")));
  EXPECT_THAT(entry.environment, Contains("HOME=/root"));
  EXPECT_EQ(entry.capabilities, plan.capabilities);
  EXPECT_EQ(entry.filter.size(), plan.filter.size());
  EXPECT_EQ(entry.listener, plan.listener);
  EXPECT_EQ(entry.selinux_label, plan.selinux_label);
  EXPECT_EQ(entry.landlock_handled, plan.landlock_handled);
  EXPECT_EQ(entry.landlock.size(), plan.landlock.size());
  EXPECT_EQ(entry.no_new_privileges, plan.no_new_privileges);
  EXPECT_EQ(entry.rlimits.size(), plan.rlimits.size());
  EXPECT_EQ(PlanEntry(plan, {{"/bin/sh"}, {}, "", {}}).working_directory, plan.working_directory);
}

}  // namespace
}  // namespace cordon
