#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <unistd.h>

#include "runtime/oci_cgroup_writes.h"
#include "runtime/oci_cgroups.h"
#include "runtime/oci_container_plan.h"
#include "runtime/oci_folder.h"
#include "runtime/oci_mount_step.h"
#include "runtime/oci_process_plan.h"

namespace cordon {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

OciMountStep Planned(const OciMount& mount) {
  const Expected<OciMountStep> step = PlanOciMount(mount);
  EXPECT_TRUE(step.has_value()) << step.error().message;
  return step.value_or(OciMountStep{});
}

TEST(OciMountStep, SortsOptionsByWhatTheySpeakOf) {
  const OciMountStep step =
      Planned({.destination = "/dev",
               .type = "tmpfs",
               .source = "tmpfs",
               .options = {"nosuid", "strictatime", "mode=755", "rro", "noswap", "rshared"},
               .uid_mappings = {},
               .gid_mappings = {}});
  EXPECT_EQ(step.kind, OciMountKind::kFileSystem);
  EXPECT_EQ(step.attributes_set, std::uint64_t{MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME});
  EXPECT_EQ(step.attributes_clear, std::uint64_t{MOUNT_ATTR__ATIME});
  EXPECT_EQ(step.below_set, std::uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_EQ(step.propagation, (OciPropagationMode{OciPropagation::kShared, true}));
  EXPECT_THAT(step.parameters, ElementsAre(std::pair<std::string, std::string>("mode", "755"),
                                           std::pair<std::string, std::string>("noswap", "")));
}

TEST(OciMountStep, TheLastOfTwoOptionsWins) {
  const OciMountStep step = Planned({.destination = "/a",
                                     .type = "bind",
                                     .source = "/b",
                                     .options = {"ro", "rbind", "rw"},
                                     .uid_mappings = {},
                                     .gid_mappings = {}});
  EXPECT_EQ(step.kind, OciMountKind::kBind);
  EXPECT_TRUE(step.recursive);
  EXPECT_EQ(step.attributes_set, 0U);
  EXPECT_EQ(step.attributes_clear, std::uint64_t{MOUNT_ATTR_RDONLY});
}

TEST(OciMountStep, KnowsADestinationByEverySpelling) {
  for (const char* const spelled : {"/dev", "/dev/", "//dev", "/./dev", "/a/../dev//", "/../dev"}) {
    EXPECT_EQ(Planned({.destination = spelled,
                       .type = "tmpfs",
                       .source = "tmpfs",
                       .options = {},
                       .uid_mappings = {},
                       .gid_mappings = {}})
                  .destination,
              "/dev")
        << spelled;
  }
}

TEST(OciContainerPlan, KnowsWhoseASettingIs) {
  EXPECT_EQ(NamespaceOfSetting("net/ipv4/ip_forward"), std::uint64_t{CLONE_NEWNET});
  EXPECT_EQ(NamespaceOfSetting("kernel/shmmax"), std::uint64_t{CLONE_NEWIPC});
  EXPECT_EQ(NamespaceOfSetting("kernel/hostname"), std::uint64_t{CLONE_NEWUTS});
  EXPECT_EQ(NamespaceOfSetting("kernel/core_pattern"), 0U);
  EXPECT_EQ(NamespaceOfSetting("vm/overcommit_memory"), 0U);
}

TEST(OciMountStep, RefusesWhatMeansNothing) {
  const std::vector<OciMount> wrong{{.destination = "/a",
                                     .type = "bind",
                                     .source = "",
                                     .options = {},
                                     .uid_mappings = {},
                                     .gid_mappings = {}},
                                    {.destination = "/a",
                                     .type = "bind",
                                     .source = "/b",
                                     .options = {"size=1"},
                                     .uid_mappings = {},
                                     .gid_mappings = {}},
                                    {.destination = "/a",
                                     .type = "proc",
                                     .source = "",
                                     .options = {"tmpcopyup"},
                                     .uid_mappings = {},
                                     .gid_mappings = {}},
                                    {.destination = "/a",
                                     .type = "tmpfs",
                                     .source = "",
                                     .options = {"idmap"},
                                     .uid_mappings = {},
                                     .gid_mappings = {}},
                                    {.destination = "/a",
                                     .type = "cgroup",
                                     .source = "cgroup",
                                     .options = {"ro", "size=1"},
                                     .uid_mappings = {},
                                     .gid_mappings = {}},
                                    {.destination = "/a",
                                     .type = "none",
                                     .source = "none",
                                     .options = {"remount", "ro", "rshared"},
                                     .uid_mappings = {},
                                     .gid_mappings = {}},
                                    {.destination = "//",
                                     .type = "tmpfs",
                                     .source = "",
                                     .options = {},
                                     .uid_mappings = {},
                                     .gid_mappings = {}},
                                    {.destination = "/a",
                                     .type = "",
                                     .source = "",
                                     .options = {},
                                     .uid_mappings = {},
                                     .gid_mappings = {}}};
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    EXPECT_FALSE(PlanOciMount(wrong[i]).has_value()) << i;
  }
}

OciResources Limits() {
  OciResources resources;
  resources.memory_limit = 1000;
  resources.memory_swap = 3000;
  resources.cpu_shares = 1024;
  resources.cpu_quota = 50000;
  resources.cpu_period = 100000;
  resources.pids_limit = -1;
  resources.io_weight = 0;
  return resources;
}

TEST(OciCgroupWrites, SayTheSameToEachVersion) {
  const auto v1 =
      OciCgroupWrites(Limits(), {.v1 = {"memory", "cpu", "pids", "blkio"}, .has_v2 = false});
  ASSERT_TRUE(v1.has_value());
  EXPECT_THAT(*v1, ElementsAre(OciCgroupWrite{"memory", "memory.limit_in_bytes", "1000"},
                               OciCgroupWrite{"memory", "memory.memsw.limit_in_bytes", "3000"},
                               OciCgroupWrite{"cpu", "cpu.shares", "1024"},
                               OciCgroupWrite{"cpu", "cpu.cfs_period_us", "100000"},
                               OciCgroupWrite{"cpu", "cpu.cfs_quota_us", "50000"},
                               OciCgroupWrite{"pids", "pids.max", "max"}));
  const auto v2 = OciCgroupWrites(Limits(), {.v1 = {}, .has_v2 = true});
  ASSERT_TRUE(v2.has_value());
  EXPECT_THAT(*v2, ElementsAre(OciCgroupWrite{"memory", "memory.max", "1000"},
                               OciCgroupWrite{"memory", "memory.swap.max", "2000"},
                               OciCgroupWrite{"cpu", "cpu.weight", "39"},
                               OciCgroupWrite{"cpu", "cpu.max", "50000 100000"},
                               OciCgroupWrite{"pids", "pids.max", "max"}));
}

TEST(OciCgroupWrites, AHybridHostGetsEachWhereItsControllerIs) {
  OciResources resources = Limits();
  resources.hugepage_limits["2MB"] = 7;
  resources.unified["hugetlb.1GB.max"] = "9";
  const auto writes = OciCgroupWrites(resources, {.v1 = {"memory", "cpu", "pids"}, .has_v2 = true});
  ASSERT_TRUE(writes.has_value());
  EXPECT_THAT(*writes, Contains(OciCgroupWrite{"memory", "memory.limit_in_bytes", "1000"}));
  EXPECT_THAT(*writes, Contains(OciCgroupWrite{"hugetlb", "hugetlb.2MB.max", "7"}));
  EXPECT_THAT(*writes, Contains(OciCgroupWrite{"", "hugetlb.1GB.max", "9"}));
}

TEST(OciCgroupWrites, WhatAVersionHasNoWordForIsAnError) {
  OciResources swappiness;
  swappiness.memory_swappiness = 10;
  EXPECT_FALSE(OciCgroupWrites(swappiness, {.v1 = {}, .has_v2 = true}).has_value());
  EXPECT_TRUE(OciCgroupWrites(swappiness, {.v1 = {"memory"}, .has_v2 = false}).has_value());
  OciResources unified;
  unified.unified["memory.high"] = "1";
  EXPECT_FALSE(OciCgroupWrites(unified, {.v1 = {"memory"}, .has_v2 = false}).has_value());
}

TEST(OciCgroupWrites, DevicesEndWithThoseThatEveryContainerHas) {
  EXPECT_TRUE(OciDeviceWrites({}).empty());
  const std::vector<OciCgroupWrite> writes = OciDeviceWrites({{}, {true, 'c', 10, {}, "rw"}});
  EXPECT_EQ(writes[0], (OciCgroupWrite{"devices", "devices.deny", "a"}));
  EXPECT_EQ(writes[1], (OciCgroupWrite{"devices", "devices.allow", "c 10:* rw"}));
  EXPECT_THAT(writes, Contains(OciCgroupWrite{"devices", "devices.allow", "c 1:3 rwm"}));
}

TEST(OciHierarchies, AreReadFromAHybridHost) {
  const std::vector<OciHierarchy> found = ParseOciHierarchies(
      "4:memory:/job\n3:cpu,cpuacct:/\n2:name=systemd:/a:b\n0::/c\n",
      "30 29 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "31 29 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
      "32 29 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
      "33 29 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  EXPECT_THAT(found,
              ElementsAre(OciHierarchy{{"memory"}, "/sys/fs/cgroup/memory", "/job"},
                          OciHierarchy{{"cpu", "cpuacct"}, "/sys/fs/cgroup/cpu,cpuacct", "/"},
                          OciHierarchy{{"name=systemd"}, "/sys/fs/cgroup/systemd", "/a:b"},
                          OciHierarchy{{}, "/sys/fs/cgroup/unified", "/c"}));
}

TEST(OciCgroups, APathThatLeadsOutIsRefused) {
  EXPECT_FALSE(OciCgroups::Create({}, "/a/../../b").has_value());
  EXPECT_TRUE(OciCgroups::Create({}, "/a/b").has_value());
}

OciSpec MinimalSpec() {
  OciSpec spec;
  spec.version = "1.2.0";
  spec.root_path = "rootfs";
  spec.namespaces = {{Namespace::kMount, ""}, {Namespace::kPid, ""}};
  OciProcess process;
  process.arguments = {"true"};
  process.working_directory = "/";
  spec.process = process;
  return spec;
}

Expected<OciContainerPlan> Plan(const OciSpec& spec) {
  HostFeatures host;
  host.permitted_capabilities = 0xffffffff;
  host.rlimits[7] = {1024, 4096};  // RLIMIT_NOFILE
  return PlanOciContainer({.spec = spec, .bundle = "/b", .host = host, .cgroups = {}});
}

TEST(OciContainerPlan, ASettingOfTheHostIsRefused) {
  OciSpec spec = MinimalSpec();
  spec.sysctl["net.ipv4.ip_forward"] = "1";
  EXPECT_FALSE(Plan(spec).has_value());
  spec.namespaces.push_back({Namespace::kNetwork, ""});
  const Expected<OciContainerPlan> plan = Plan(spec);
  ASSERT_TRUE(plan.has_value()) << plan.error().message;
  EXPECT_EQ(plan->settings.front().path, "net/ipv4/ip_forward");
  EXPECT_TRUE(plan->loopback);
  spec.sysctl["kernel.core_pattern"] = "|/evil";
  EXPECT_FALSE(Plan(spec).has_value());
}

TEST(OciContainerPlan, NeedsAMountNamespaceAndNamesOfItsOwn) {
  OciSpec spec = MinimalSpec();
  spec.hostname = "box";
  EXPECT_FALSE(Plan(spec).has_value());
  spec.namespaces.push_back({Namespace::kUts, ""});
  EXPECT_TRUE(Plan(spec).has_value());
  spec.namespaces.erase(spec.namespaces.begin());
  EXPECT_FALSE(Plan(spec).has_value());
}

TEST(OciContainerPlan, WhatTheCallerCannotGiveIsAnError) {
  OciSpec spec = MinimalSpec();
  spec.process->capabilities.bounding = {"CAP_CHOWN"};
  EXPECT_TRUE(Plan(spec).has_value());
  spec.process->capabilities.bounding = {"CAP_PERFMON"};  // 38, above what Plan()'s caller has
  EXPECT_FALSE(Plan(spec).has_value());
  spec = MinimalSpec();
  spec.process->capabilities.ambient = {"CAP_CHOWN"};
  EXPECT_EQ(Plan(spec)->process.ambient, 0U);
  EXPECT_EQ(Plan(spec)->process.warnings.size(), 1U);
  spec = MinimalSpec();
  spec.process->selinux_label = "a:b:c:s0";
  EXPECT_FALSE(Plan(spec).has_value());
  spec = MinimalSpec();
  spec.process->apparmor_profile = "p";
  EXPECT_FALSE(Plan(spec).has_value());
}

TEST(OciContainerPlan, ShowsTheCgroupsOfAHybridHost) {
  OciMountStep mount;
  mount.destination = "/sys/fs/cgroup";
  mount.attributes_set = MOUNT_ATTR_RDONLY;
  const std::vector<OciMountStep> steps = PlanOciCgroupMount(mount, OciCgroups(), true);
  EXPECT_TRUE(steps.empty());
}

TEST(OciFolder, IdsAreNamesOfAFolder) {
  for (const char* const good : {"a", "0b1c", "A.b_c-d+e", ".a"}) {
    EXPECT_TRUE(CheckContainerId(good).has_value()) << good;
  }
  for (const char* const bad : {"", ".", "..", "a/b", "a b", "\xc3\xa4"}) {
    EXPECT_FALSE(CheckContainerId(bad).has_value()) << bad;
  }
}

TEST(OciFolder, KnowsWhenAProcessBegan) {
  EXPECT_TRUE(StartTimeOf(::getpid()).has_value());
  OciRecord own;
  own.pid = ::getpid();
  own.start_time = StartTimeOf(::getpid()).value_or(0);
  const auto found = OpenContainerProcess(own);
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(found->has_value());
  // The same number, but of another process.
  own.start_time += 1;
  const auto other = OpenContainerProcess(own);
  ASSERT_TRUE(other.has_value());
  EXPECT_FALSE(other->has_value());
}

}  // namespace
}  // namespace cordon
