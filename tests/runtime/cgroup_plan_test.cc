#include "runtime/cgroup_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "common/temporary_folder.h"
#include "runtime/cgroup_usage.h"

namespace cordon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Write = CgroupStep::Write;

CgroupLayout V1() {
  CgroupLayout layout;
  for (const std::string controller :
       {"memory", "cpu", "cpuset", "pids", "blkio", "devices", "freezer"}) {
    layout.v1_roots[controller] = "/cg/" + controller;
    layout.v1[controller] = "/cg/" + controller + "/user";
  }
  return layout;
}

CgroupLayout V2() {
  CgroupLayout layout;
  layout.v2 = "/cg/user.slice";
  layout.v2_root = "/cg";
  return layout;
}

CgroupPlan MustPlan(const ResourceLimits& limits, const CgroupLayout& layout) {
  Expected<CgroupPlan> plan = PlanCgroups(limits, OriginsOfChange(limits), layout);
  EXPECT_TRUE(plan.has_value()) << plan.error().message;
  return plan.value_or(CgroupPlan{});
}

/// What is written where the steps of `limits` are, in order.
std::vector<std::string> WritesOf(const ResourceLimits& limits, const CgroupLayout& layout) {
  std::vector<std::string> texts;
  for (const CgroupStep& step : MustPlan(limits, layout).steps) {
    for (const Write& write : step.writes) {
      texts.push_back(write.file + "=" + write.value);
    }
  }
  return texts;
}

TEST(PlanCgroups, EveryLimitHasItsFilesInBothVersions) {
  ResourceLimits limits;
  limits.memory_bytes = 1 << 20;
  limits.memory_swap_bytes = 3 << 20;
  limits.memory_reservation_bytes = 1 << 19;
  EXPECT_THAT(WritesOf(limits, V1()),
              ElementsAre("memory.limit_in_bytes=1048576", "memory.memsw.limit_in_bytes=3145728",
                          "memory.soft_limit_in_bytes=524288"));
  EXPECT_THAT(WritesOf(limits, V2()),
              ElementsAre("memory.max=1048576", "memory.swap.max=2097152", "memory.low=524288"));
  limits = {};
  limits.cpu_quota_us = 150000;
  limits.cpu_shares = 512;
  EXPECT_THAT(WritesOf(limits, V1()),
              ElementsAre("cpu.cfs_period_us=100000", "cpu.cfs_quota_us=150000", "cpu.shares=512"));
  EXPECT_THAT(WritesOf(limits, V2()), ElementsAre("cpu.max=150000 100000", "cpu.weight=50"));
  limits = {};
  limits.cpuset_cpus = "0-1";
  EXPECT_THAT(WritesOf(limits, V1()), ElementsAre("cpuset.cpus=0-1", "cpuset.mems="));
  EXPECT_THAT(WritesOf(limits, V2()), ElementsAre("cpuset.cpus=0-1"));
  limits = {};
  limits.io_weight = 200;
  limits.read_bps = {{{8, 0}, 1024}};
  limits.write_iops = {{{8, 16}, kUnlimited}};
  EXPECT_THAT(WritesOf(limits, V1()), ElementsAre("blkio.bfq.weight|blkio.weight=200",
                                                  "blkio.throttle.read_bps_device=8:0 1024",
                                                  "blkio.throttle.write_iops_device=8:16 0"));
  EXPECT_THAT(WritesOf(limits, V2()), ElementsAre("io.bfq.weight|io.weight=200",
                                                  "io.max=8:0 rbps=1024", "io.max=8:16 wiops=max"));
  limits = {};
  limits.devices = {{DeviceAnswer::kAllow, DeviceKind::kCharacter, 1, 3, kReadDevice}};
  EXPECT_THAT(WritesOf(limits, V1()), ElementsAre("devices.deny=a", "devices.allow=c 1:3 r"));
  EXPECT_THAT(WritesOf(limits, V2()), IsEmpty());
  EXPECT_EQ(MustPlan(limits, V2()).steps.at(0).devices, limits.devices);
  EXPECT_THAT(MustPlan(limits, V2()).steps.at(0).controllers, IsEmpty());
}

TEST(PlanCgroups, ALiftedLimitIsWrittenToo) {
  ResourceLimits limits;
  limits.memory_bytes = kUnlimited;
  limits.cpu_quota_us = kUnlimited;
  limits.pids = kUnlimited;
  EXPECT_THAT(WritesOf(limits, V1()),
              ElementsAre("memory.limit_in_bytes=-1", "memory.memsw.limit_in_bytes=-1",
                          "cpu.cfs_period_us=100000", "cpu.cfs_quota_us=-1", "pids.max=max"));
  EXPECT_THAT(WritesOf(limits, V2()), ElementsAre("memory.max=max", "memory.swap.max=max",
                                                  "cpu.max=max 100000", "pids.max=max"));
}

TEST(PlanCgroups, WeightsAgreeOnWhatIsEverybodys) {
  for (const auto& [shares, weight] : std::vector<std::pair<std::uint64_t, std::string>>{
           {2, "1"}, {1024, "100"}, {2048, "200"}, {102'400, "10000"}, {262'144, "10000"}}) {
    ResourceLimits limits;
    limits.cpu_shares = shares;
    EXPECT_THAT(WritesOf(limits, V2()), ElementsAre("cpu.weight=" + weight));
  }
}

TEST(PlanCgroups, WhatHasAFileInV2OnlyIsNotHeldByV1) {
  ResourceLimits limits;
  limits.unified = {{"memory.high", "1048576"}};
  const CgroupPlan plan = MustPlan(limits, V1());
  EXPECT_THAT(plan.steps, IsEmpty());
  ASSERT_EQ(plan.unheld.size(), 1U);
  EXPECT_EQ(plan.unheld[0].option, "--memory-high");
  EXPECT_EQ(plan.unheld[0].origin, LimitOrigin::kAsked);
  EXPECT_THAT(plan.unheld[0].reason, HasSubstr("v1 has nothing like memory.high"));
  EXPECT_THAT(WritesOf(limits, V2()), ElementsAre("memory.high=1048576"));
  CgroupLayout hybrid = V1();
  hybrid.v2 = "/cg/unified";
  hybrid.v2_root = "/cg/unified";
  limits.unified = {{"hugetlb.2MB.max", "0"}};
  EXPECT_EQ(MustPlan(limits, hybrid).steps.at(0).version, CgroupVersion::kV2);
}

TEST(PlanCgroups, RefusesWhatMeansNothing) {
  ResourceLimits limits;
  limits.memory_swap_bytes = 1;
  EXPECT_FALSE(PlanCgroups(limits, {}, V1()).has_value());
  limits.memory_bytes = 2;
  EXPECT_FALSE(PlanCgroups(limits, {}, V1()).has_value());
  limits.memory_swap_bytes = kUnlimited;
  EXPECT_TRUE(PlanCgroups(limits, {}, V1()).has_value());
  for (const std::string list : {"x", "1-", "2-1", "0,", "0-70000", "0/../x"}) {
    limits = {};
    limits.cpuset_mems = list;
    const Expected<CgroupPlan> plan = PlanCgroups(limits, {}, V2());
    ASSERT_FALSE(plan.has_value()) << list;
    EXPECT_THAT(plan.error().message, HasSubstr("cpuset.mems"));
  }
}

TEST(PlanCgroups, AParentIsBelowTheRootOrTheCaller) {
  ResourceLimits limits;
  limits.pids = 1;
  CgroupLayout layout = V1();
  layout.v2 = "/cg/unified/own";
  layout.v2_root = "/cg/unified";
  const Expected<CgroupLayout> absolute = BelowParent(layout, "/a//b/");
  ASSERT_TRUE(absolute.has_value());
  EXPECT_EQ(absolute->v1.at("pids"), "/cg/pids/a/b");
  EXPECT_EQ(absolute->v2, "/cg/unified/a/b");
  const CgroupStep step = MustPlan(limits, *absolute).steps.at(0);
  EXPECT_EQ(step.placement, CgroupPlacement::kExactly);
  EXPECT_EQ(step.root, "/cg/pids");
  EXPECT_EQ(BelowParent(layout, "a")->v1.at("pids"), "/cg/pids/user/a");
  EXPECT_EQ(BelowParent(layout, "a")->v2, "/cg/unified/own/a");
  for (const std::string wrong : {"/", "", "/a/../b", "..", "./x"}) {
    EXPECT_FALSE(BelowParent(layout, wrong).has_value()) << wrong;
  }
}

class UsageFolder {
 public:
  void Write(const std::string& file, const std::string& text) const {
    std::ofstream(folder_.path() + "/" + file) << text;
  }

  SandboxUsage Read() const { return ReadCgroupUsage({folder_.path()}); }

 private:
  TemporaryFolder folder_ = TemporaryFolder::Create("cordon-usage").value();
};

TEST(ReadCgroupUsage, KnowsTheFilesOfV1) {
  const UsageFolder folder;
  folder.Write("memory.usage_in_bytes", "4096\n");
  folder.Write("memory.limit_in_bytes", "9223372036854771712\n");
  folder.Write("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
  folder.Write("memory.stat", "inactive_file 1\ntotal_inactive_file 5\n");
  folder.Write("cpuacct.usage", "1234567\n");
  folder.Write("pids.max", "max\n");
  folder.Write("pids.events", "max 3\n");
  folder.Write("blkio.throttle.io_service_bytes_recursive",
               "8:0 Read 10\n8:0 Write 1\n8:16 Read 20\n8:0 Total 11\nTotal 31\n");
  const SandboxUsage usage = folder.Read();
  EXPECT_EQ(usage.memory_bytes, 4096U);
  EXPECT_EQ(usage.memory_limit_bytes, std::nullopt);
  EXPECT_EQ(usage.oom_kills, 2U);
  EXPECT_EQ(usage.memory_inactive_file_bytes, 5U);
  EXPECT_EQ(usage.cpu_us, 1234U);
  EXPECT_EQ(usage.tasks_limit, std::nullopt);
  EXPECT_EQ(usage.tasks_refused, 3U);
  EXPECT_EQ(usage.io_read_bytes, 30U);
  EXPECT_EQ(usage.io_written_bytes, 1U);
}

TEST(ReadCgroupUsage, KnowsTheFilesOfV2) {
  const UsageFolder folder;
  folder.Write("memory.current", "4096\n");
  folder.Write("memory.max", "65536\n");
  folder.Write("memory.events", "low 0\nhigh 0\nmax 9\noom 2\noom_kill 1\noom_group_kill 0\n");
  folder.Write("cpu.stat", "usage_usec 77\nuser_usec 70\nthrottled_usec 5\n");
  folder.Write("io.stat", "8:0 rbytes=10 wbytes=1 rios=1 wios=1 dbytes=0 dios=0\n8:16 rbytes=20\n");
  const SandboxUsage usage = folder.Read();
  EXPECT_EQ(usage.memory_bytes, 4096U);
  EXPECT_EQ(usage.memory_limit_bytes, 65536U);
  EXPECT_EQ(usage.oom_kills, 1U);
  EXPECT_EQ(usage.cpu_us, 77U);
  EXPECT_EQ(usage.throttled_us, 5U);
  EXPECT_EQ(usage.io_read_bytes, 30U);
  EXPECT_EQ(usage.io_written_bytes, 1U);
  EXPECT_EQ(usage.tasks, std::nullopt);
}

TEST(AddProcessUsage, FillsInOnlyWhatIsNotKnown) {
  SandboxProcess process;
  process.cpu_us = 5;
  process.children_cpu_us = 7;
  process.resident_bytes = 100;
  process.threads = 3;
  SandboxUsage usage;
  usage.memory_bytes = 9;
  AddProcessUsage({process, process}, usage);
  EXPECT_EQ(usage.cpu_us, 24U);
  EXPECT_EQ(usage.memory_bytes, 9U);
  EXPECT_EQ(usage.tasks, 6U);
  EXPECT_EQ(usage.oom_kills, std::nullopt);
}

}  // namespace
}  // namespace cordon
