#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>

#include "runtime/oci_policy.h"

namespace cordon {
namespace {

using ::testing::ElementsAre;

constexpr std::uint64_t kChown = 1U << 0;
constexpr std::uint64_t kKill = 1U << 5;

OciProcessPlan Engine() {
  OciProcessPlan plan;
  plan.bounding = plan.effective = plan.permitted = plan.inheritable = plan.ambient =
      kChown | kKill;
  plan.rlimits = {{7, {500, 18000}, "RLIMIT_NOFILE"}};
  return plan;
}

HostFeatures Host() {
  HostFeatures host;
  host.landlock_abi = 5;
  host.rlimits[7] = {1024, 20000};   // RLIMIT_NOFILE
  host.rlimits[6] = {30000, 30000};  // RLIMIT_NPROC
  return host;
}

TEST(TightenOciProcess, TakesWhatThePolicyLacksFromAllFiveSets) {
  OciProcessPlan plan = Engine();
  SandboxConfig policy;
  policy.capabilities = {"CAP_KILL", "CAP_SYS_ADMIN"};
  ASSERT_TRUE(TightenOciProcess(policy, Host(), plan).has_value());
  for (const std::uint64_t set :
       {plan.bounding, plan.effective, plan.permitted, plan.inheritable, plan.ambient}) {
    EXPECT_EQ(set, kKill);  // and not CAP_SYS_ADMIN, which the engine does not give
  }
  policy.capabilities = {"CAP_NONSENSE"};
  EXPECT_FALSE(TightenOciProcess(policy, Host(), plan).has_value());
}

TEST(TightenOciProcess, NoNewPrivilegesStaysWhereTheEngineHasIt) {
  OciProcessPlan plan = Engine();
  SandboxConfig policy;
  policy.no_new_privileges = false;
  ASSERT_TRUE(TightenOciProcess(policy, Host(), plan).has_value());
  EXPECT_FALSE(plan.no_new_privileges);
  policy.no_new_privileges = true;
  ASSERT_TRUE(TightenOciProcess(policy, Host(), plan).has_value());
  policy.no_new_privileges = false;
  ASSERT_TRUE(TightenOciProcess(policy, Host(), plan).has_value());
  EXPECT_TRUE(plan.no_new_privileges);
}

TEST(TightenOciProcess, TakesTheSmallerLimits) {
  OciProcessPlan plan = Engine();
  SandboxConfig policy;
  // Of the first the policy's hard limit is below, of the second, which the engine says nothing
  // of, only the soft one is below what the process would inherit.
  policy.rlimits = {{"RLIMIT_NOFILE", 16384, 1024}, {"RLIMIT_NPROC", 40000, 100}};
  ASSERT_TRUE(TightenOciProcess(policy, Host(), plan).has_value());
  ASSERT_EQ(plan.rlimits.size(), 2U);
  EXPECT_EQ(plan.rlimits[0].limit.rlim_cur, 500U);
  EXPECT_EQ(plan.rlimits[0].limit.rlim_max, 16384U);
  EXPECT_EQ(plan.rlimits[1].limit.rlim_cur, 100U);
  EXPECT_EQ(plan.rlimits[1].limit.rlim_max, 30000U);
}

TEST(TightenOciProcess, FilesThatNobodyCanHoldAreAnError) {
  OciProcessPlan plan = Engine();
  SandboxConfig policy;
  policy.landlock = {{"/etc", {"read_file", "read_dir"}}};
  HostFeatures host = Host();
  ASSERT_TRUE(TightenOciProcess(policy, host, plan).has_value());
  ASSERT_EQ(plan.landlock.rules.size(), 1U);
  EXPECT_NE(plan.landlock.handled, 0U);
  host.landlock_abi = 0;
  const Status without = TightenOciProcess(policy, host, plan);
  ASSERT_FALSE(without.has_value());
  EXPECT_EQ(without.error().code, ErrorCode::kUnsupported);
  // A workload that mounts: SELinux or nobody.
  policy.landlock.reset();
  policy.selinux_label = "system_u:system_r:web_t:s0";
  EXPECT_FALSE(TightenOciProcess(policy, Host(), plan).has_value());
  plan.security_label = policy.selinux_label;
  host.selinux = SelinuxState::kEnforcing;
  EXPECT_TRUE(TightenOciProcess(policy, host, plan).has_value());
}

sock_filter Return(std::uint32_t word) {
  return {BPF_RET | BPF_K, 0, 0, word};
}

TEST(AddFilter, ReportsUnlessTheEngineMayAnswerOtherwise) {
  OciFilter filter;
  EXPECT_TRUE(MayReport(filter));
  filter.program = {Return(SECCOMP_RET_ERRNO | 1)};
  EXPECT_TRUE(MayReport(filter));
  filter.program = {Return(SECCOMP_RET_LOG)};
  EXPECT_FALSE(MayReport(filter));
  filter.program = {Return(SECCOMP_RET_USER_NOTIF)};
  filter.listener = true;
  EXPECT_FALSE(MayReport(filter));
  // An agent that admits everything does not get to see what the policy refuses.
  ASSERT_TRUE(AddPlainFilter({Return(SECCOMP_RET_ERRNO | 1)}, filter).has_value());
  EXPECT_EQ(filter.program.front().k, SECCOMP_RET_ERRNO | 1U);
  EXPECT_TRUE(filter.listener);
}

TEST(AddFilter, ALoggingPolicyDoesNotHideTheEnginesRefusals) {
  OciFilter filter;
  filter.program = {Return(SECCOMP_RET_USER_NOTIF)};
  filter.listener = true;
  EXPECT_FALSE(AddPlainFilter({Return(SECCOMP_RET_LOG)}, filter).has_value());
}

TEST(AddFilter, ANotifyingOneAsksForTheListener) {
  OciFilter filter;
  filter.program = {Return(SECCOMP_RET_ALLOW)};
  ASSERT_TRUE(AddNotifyingFilter({Return(SECCOMP_RET_USER_NOTIF)}, filter).has_value());
  EXPECT_EQ(filter.program.size(), 2U);
  EXPECT_TRUE(filter.listener);
  EXPECT_EQ(filter.flags, std::uint64_t{SECCOMP_FILTER_FLAG_NEW_LISTENER});
}

TEST(TighterResources, HasOnlyWhatThePolicyLimitsMore) {
  ResourceLimits policy;
  policy.memory_bytes = 256;
  policy.pids = 64;
  policy.cpu_quota_us = 50'000;
  OciResources engine;
  engine.memory_limit = 100;
  engine.memory_swap = 100;
  engine.pids_limit = 1000;
  engine.cpu_quota = 20'000;
  engine.cpu_period = 50'000;
  const Expected<OciResources> tight = TighterResources(policy, engine);
  ASSERT_TRUE(tight.has_value());
  EXPECT_EQ(tight->memory_limit, std::nullopt);
  EXPECT_EQ(tight->memory_swap, std::nullopt);
  EXPECT_EQ(tight->pids_limit, 64);
  EXPECT_EQ(tight->cpu_quota, std::nullopt);  // 40 of 100 are less than 50
  engine.memory_limit = -1;
  engine.memory_swap.reset();
  engine.cpu_quota = 30'000;
  EXPECT_EQ(TighterResources(policy, engine)->memory_limit, 256);
  EXPECT_EQ(TighterResources(policy, engine)->memory_swap, 256);
  EXPECT_EQ(TighterResources(policy, engine)->cpu_quota, 50'000);
  policy.devices.push_back({});
  EXPECT_FALSE(TighterResources(policy, engine).has_value());
}

TEST(TighterResources, TakesTheProcessorsOfBoth) {
  ResourceLimits policy;
  policy.cpuset_cpus = "0-2,7";
  OciResources engine;
  EXPECT_EQ(TighterResources(policy, engine)->cpuset_cpus, "0-2,7");
  engine.cpuset_cpus = "2-8";
  EXPECT_EQ(TighterResources(policy, engine)->cpuset_cpus, "2,7");
  for (const char* const other : {"3-6", "a", "4-2", "0-99999999"}) {
    engine.cpuset_cpus = other;
    EXPECT_FALSE(TighterResources(policy, engine).has_value()) << other;
  }
}

TEST(TighterResources, RatesAreOfEachDevice) {
  ResourceLimits policy;
  policy.read_bps = {{{8, 0}, 1000}, {{8, 16}, 1000}};
  OciResources engine;
  engine.read_bps = {{8, 0, 500}, {8, 16, 2000}};
  EXPECT_THAT(TighterResources(policy, engine)->read_bps, ElementsAre(OciDeviceRate{8, 16, 1000}));
}

TEST(TighterChange, LeavesAloneWhatTheChangeLeavesAlone) {
  ResourceLimits policy;
  policy.memory_bytes = 256;
  policy.pids = 64;
  policy.cpu_quota_us = 50'000;
  OciResources change;
  change.pids_limit = 1000;
  const Expected<OciResources> tight = TighterChange(policy, change);
  ASSERT_TRUE(tight.has_value());
  EXPECT_EQ(tight->pids_limit, 64);
  EXPECT_EQ(tight->memory_limit, std::nullopt);  // it may have been 10 before
  EXPECT_EQ(tight->cpu_quota, std::nullopt);
  change.cpu_quota = 1000;
  EXPECT_FALSE(TighterChange(policy, change).has_value());
}

}  // namespace
}  // namespace cordon
