#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/mount.h>

#include "runtime/capability_names.h"
#include "runtime/cgroup_layout.h"
#include "runtime/confinement_check.h"
#include "runtime/landlock_access.h"
#include "runtime/launch_step.h"
#include "runtime/mount_step.h"
#include "runtime/violation.h"

namespace cordon {
namespace {

using ::testing::HasSubstr;

TEST(CgroupLayout, ReadsPureV2) {
  const CgroupLayout layout = ParseCgroupLayout(
      "0::/user.slice/session-1.scope\n",
      "25 20 0:22 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
  EXPECT_TRUE(layout.v1.empty());
  EXPECT_EQ(layout.v2, "/sys/fs/cgroup/user.slice/session-1.scope");
  EXPECT_EQ(layout.v2_root, "/sys/fs/cgroup");
}

TEST(CgroupLayout, ReadsTheHybrid) {
  const CgroupLayout layout =
      ParseCgroupLayout("4:memory:/one:two\n2:cpu,cpuacct:/\n1:name=systemd:/x\n0::/\n",
                        "30 20 0:25 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n31 20 "
                        "0:26 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
                        "32 20 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n33 20 0:28 / "
                        "/sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n");
  EXPECT_EQ(layout.v1.at("memory"), "/sys/fs/cgroup/memory/one:two");
  EXPECT_EQ(layout.v1.at("cpu"), "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ(layout.v2, "/sys/fs/cgroup/unified");
}

TEST(CgroupLayout, FollowsAMountOfAPartOfTheHierarchy) {
  const std::string mount =
      "30 20 0:25 /docker/id /sys/fs/cgroup/my\\040memory rw - cgroup cgroup rw,memory\n";
  EXPECT_EQ(ParseCgroupLayout("4:memory:/docker/id/sub\n", mount).v1.at("memory"),
            "/sys/fs/cgroup/my memory/sub");
  EXPECT_TRUE(ParseCgroupLayout("4:memory:/docker/other\n", mount).v1.empty());
}

TEST(CgroupLayout, TakesNonsense) {
  EXPECT_EQ(ParseCgroupLayout("", ""), CgroupLayout{});
  EXPECT_EQ(ParseCgroupLayout("x\n::\n4:memory\n", "a b c - cgroup\n1 2 3 4 5 6 - cgroup2\n"),
            CgroupLayout{});
}

TEST(PlanMount, SplitsAttributesFromParameters) {
  const Expected<MountStep> step = PlanMount(
      {"/tmp", "tmpfs", "tmpfs", {"nosuid", "nodev", "ro", "mode=1777", "size=64k", "noatime"}});
  ASSERT_TRUE(step.has_value()) << step.error().message;
  EXPECT_EQ(step->attributes_set, std::uint64_t{MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                                                MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME});
  EXPECT_EQ(step->parameters,
            (std::vector<std::pair<std::string, std::string>>{{"mode", "1777"}, {"size", "64k"}}));
}

TEST(PlanMount, TakesTheQuotesOffASelinuxContext) {
  const Expected<MountStep> step = PlanMount(
      {"/run", "tmpfs", "tmpfs", {"context=\"system_u:object_r:a_t:s0:c1,c2\"", "size=1m"}});
  ASSERT_TRUE(step.has_value()) << step.error().message;
  ASSERT_EQ(step->parameters.size(), 2U);
  EXPECT_EQ(step->parameters[0].second, "system_u:object_r:a_t:s0:c1,c2");
  EXPECT_EQ(step->parameters[1].second, "1m");
}

TEST(PlanMount, BindsAreRecognisedByOptionAndType) {
  EXPECT_EQ(PlanMount({"/a", "none", "/b", {"rbind", "rw"}})->kind, MountKind::kBind);
  EXPECT_TRUE(PlanMount({"/a", "", "/b", {"rbind"}})->recursive);
  const Expected<MountStep> writable = PlanMount({"/a", "bind", "/b", {"ro", "rw"}});
  EXPECT_EQ(writable->attributes_set & MOUNT_ATTR_RDONLY, 0U);
  EXPECT_NE(writable->attributes_clear & MOUNT_ATTR_RDONLY, 0U);
}

TEST(PlanMount, RefusesWhatItCannotHold) {
  for (const Mount& mount : std::vector<Mount>{{"relative", "tmpfs", "", {}},
                                               {"", "tmpfs", "", {}},
                                               {"/a/../b", "tmpfs", "", {}},
                                               {"/a", "bind", "relative", {}},
                                               {"/a", "bind", "/b", {"size=1"}},
                                               {"/a", "bind", "/b", {"rshared"}},
                                               {"/a", "", "", {}}}) {
    const Expected<MountStep> step = PlanMount(mount);
    ASSERT_FALSE(step.has_value()) << mount.destination;
    EXPECT_EQ(step.error().code, ErrorCode::kInvalidInput);
  }
}

LaunchPlan ConfinedPlan() {
  LaunchPlan plan;
  plan.capabilities = 0x401;
  plan.filter.resize(1);
  return plan;
}

constexpr std::string_view kConfinedStatus =
    "Name:\tcordon-init\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_"
    "filters:\t1\nCapInh:"
    "\t0000000000000000\nCapPrm:\t0000000000000401\n"
    "CapEff:\t0000000000000401\nCapBnd:\t0000000000000401\nCapAmb:\t0000000000000000\n";

TEST(CheckConfinement, TakesWhatWasPlanned) {
  EXPECT_TRUE(CheckConfinement(kConfinedStatus, ConfinedPlan()).has_value());
}

TEST(CheckConfinement, NamesEveryDifference) {
  const std::vector<std::pair<std::string, std::string>> changes{
      {"Seccomp:\t2", "Seccomp:\t0"},
      {"NoNewPrivs:\t1", "NoNewPrivs:\t0"},
      {"Uid:\t0\t0\t0\t0", "Uid:\t0\t0\t0\t33"},
      {"Gid:\t0\t0\t0\t0", "Gid:\t0\t33\t0\t0"},
      {"CapEff:\t0000000000000401", "CapEff:\t000001ffffffffff"},
      {"CapBnd:\t0000000000000401", "CapBnd:\t0000000000000403"},
      {"CapInh:\t0000000000000000", "CapInh:\t0000000000000001"},
      {"CapAmb:\t0000000000000000\n", ""}};
  for (const auto& [from, to] : changes) {
    std::string status(kConfinedStatus);
    status.replace(status.find(from), from.size(), to);
    const Status checked = CheckConfinement(status, ConfinedPlan());
    ASSERT_FALSE(checked.has_value()) << from;
    EXPECT_THAT(checked.error().message, HasSubstr(from.substr(0, from.find(':'))));
  }
}

TEST(Landlock, RightsGrowWithTheAbi) {
  EXPECT_EQ(LandlockRightsOfAbi(1), 0x1fffU);
  EXPECT_EQ(LandlockRightsOfAbi(2), 0x3fffU);
  EXPECT_EQ(LandlockRightsOfAbi(3), 0x7fffU);
  EXPECT_EQ(LandlockRightsOfAbi(4), 0x7fffU);
  EXPECT_EQ(LandlockRightsOfAbi(7), 0xffffU);
  EXPECT_EQ(LandlockFileRights(), 0xc007U);
  EXPECT_EQ(LandlockAccessBit("refer"), 0x2000U);
  EXPECT_EQ(LandlockAccessBit("READ_FILE"), std::nullopt);
}

TEST(CapabilityNames, AreTheKernels) {
  EXPECT_EQ(CapabilityNumber("CAP_CHOWN"), 0U);
  EXPECT_EQ(CapabilityNumber("CAP_SYS_ADMIN"), 21U);
  EXPECT_EQ(CapabilityNumber("CAP_CHECKPOINT_RESTORE"), 40U);
  EXPECT_EQ(CapabilityNumber("cap_chown"), std::nullopt);
  EXPECT_EQ(CapabilityName(10), "CAP_NET_BIND_SERVICE");
  EXPECT_EQ(CapabilityName(63), "CAP_63");
}

TEST(LaunchSteps, AllHaveAPhrase) {
  for (std::uint32_t step = 0; step <= static_cast<std::uint32_t>(LaunchStep::kExecute); ++step) {
    EXPECT_NE(Describe(static_cast<LaunchStep>(step)), "an unknown step") << step;
  }
}

TEST(Violations, NameTheRuleThatAllowsThem) {
  Violation violation;
  violation.invocation.call = {Architecture::kX86_64,
                               *SyscallNumber(Architecture::kX86_64, "socket")};
  violation.invocation.arguments = {16, 0xdead00000003, 0};
  violation.thread = 7;
  violation.chain = {{7, "evil\x1b[2J", "/srv/evil"}, {5, "sh", ""}};
  violation.call = "socket(AF_NETLINK, SOCK_RAW, 0)";
  violation.answer = SeccompAction::Errno(1);
  EXPECT_EQ(
      Describe(violation),
      R"(refused socket(AF_NETLINK, SOCK_RAW, 0) = EPERM by 'evil\x1b[2J' (pid 7, '/srv/evil'), )"
      R"(of 'sh' (pid 5); the rule that allows it: )"
      R"({"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[)"
      R"({"index":0,"value":4294967295,"valueTwo":16,"op":"SCMP_CMP_MASKED_EQ"},)"
      R"({"index":1,"value":4294967295,"valueTwo":3,"op":"SCMP_CMP_MASKED_EQ"},)"
      R"({"index":2,"value":4294967295,"valueTwo":0,"op":"SCMP_CMP_MASKED_EQ"}]})");
}

TEST(Violations, CallsWithoutANameHaveNoRule) {
  EXPECT_THAT(AllowingRule({{Architecture::kX86_64, 99999}, {}}), HasSubstr("without a name"));
}

}  // namespace
}  // namespace cordon
