#include <asm/ioctls.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "model/bpf_interpreter.h"
#include "model/default_sandbox.h"
#include "runtime/base_filter.h"
#include "runtime/confinement_check.h"
#include "runtime/launch_plan.h"
#include "runtime/subordinate_ids.h"
#include "runtime/user_name.h"
#include "runtime/volume_label.h"
#include "tests/testing/skip.h"
#include "tests/testing/temp_dir.h"

namespace cordon {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TempDir;

TEST(SubordinateIds, AreThoseOfTheNameAndOfTheNumber) {
  constexpr std::string_view kText =
      "other:1:2\nweb:100000:65536\n1000:300000:10\nweb:x:1\nweb:1\nweb:5:0\n"
      "web:4294967290:10\nweb:4294967290:5\n";
  EXPECT_EQ(ParseSubordinateIds(kText, "web", 1000),
            (std::vector<IdRange>{{100000, 65536}, {300000, 10}, {4294967290U, 5}}));
  EXPECT_THAT(ParseSubordinateIds(kText, "", 7), IsEmpty());
}

TEST(SubordinateIds, RootMapsNothingOfItsOwn) {
  EXPECT_EQ(MapOntoRanges(0, {{100000, 65536}, {300000, 10}}),
            (std::vector<IdMap>{{0, 100000, 65536}, {65536, 300000, 10}}));
  EXPECT_EQ(MapOntoRanges(1000, {{100000, 65536}}),
            (std::vector<IdMap>{{0, 1000, 1}, {1, 100000, 65536}}));
  EXPECT_EQ(MapOntoRanges(1000, {{1, 0xfffffffeU}, {5, 5}}),
            (std::vector<IdMap>{{0, 1000, 1}, {1, 1, 0xfffffffeU}}));
}

TEST(IdMaps, SayWhatAnIdIsOutside) {
  const std::vector<IdMap> maps{{0, 1000, 1}, {1, 100000, 10}};
  EXPECT_EQ(OutsideId(maps, 0), 1000U);
  EXPECT_EQ(OutsideId(maps, 10), 100009U);
  EXPECT_EQ(OutsideId(maps, 11), std::nullopt);
  EXPECT_EQ(OutsideId({}, 33), 33U);
}

TEST(PlanLaunch, SubordinateIdsAreMappedAndTheRootWithThem) {
  LaunchRequest request;
  request.config = DefaultSandbox();
  request.config.arguments = {"true"};
  request.config.root_path = "/srv/root";
  request.user_namespace = UserNamespaceUse::kSubordinateIds;
  request.subordinate_ids = SubordinateIds{{{100000, 50}}, {{200000, 40}}};
  HostFeatures host;
  host.permitted_capabilities = (std::uint64_t{1} << 41) - 1;
  const Expected<LaunchPlan> root = PlanLaunch(request, host);
  ASSERT_TRUE(root.has_value()) << root.error().message;
  EXPECT_EQ(root->uid_maps, (std::vector<IdMap>{{0, 100000, 50}}));
  EXPECT_EQ(root->gid_maps, (std::vector<IdMap>{{0, 200000, 40}}));
  EXPECT_EQ(root->map_writer, MapWriter::kSelf);
  EXPECT_TRUE(root->become_root_inside && root->sources_outside && root->root_idmapped);
  host.uid = 1000;
  host.gid = 100;
  const Expected<LaunchPlan> ordinary = PlanLaunch(request, host);
  ASSERT_TRUE(ordinary.has_value()) << ordinary.error().message;
  EXPECT_EQ(ordinary->uid_maps, (std::vector<IdMap>{{0, 1000, 1}, {1, 100000, 50}}));
  EXPECT_EQ(ordinary->gid_maps, (std::vector<IdMap>{{0, 100, 1}, {1, 200000, 40}}));
  EXPECT_EQ(ordinary->map_writer, MapWriter::kHelpers);
  EXPECT_FALSE(ordinary->sources_outside);
  request.config.gid = 41;
  EXPECT_THAT(PlanLaunch(request, host).error().message, HasSubstr("group 41 is beyond"));
}

TEST(PlanLaunch, OomScoreIsHeldAtWhatTheCallerMaySet) {
  LaunchRequest request;
  request.config = DefaultSandbox();
  request.config.arguments = {"true"};
  request.config.oom_score_adj = -500;
  HostFeatures host;
  host.oom_score_adj = -100;
  const Expected<LaunchPlan> held = PlanLaunch(request, host);
  ASSERT_TRUE(held.has_value());
  EXPECT_EQ(held->oom_score_adj, -100);
  EXPECT_THAT(held->warnings, ::testing::Contains(HasSubstr("oom_score_adj is held at -100")));
  host.permitted_capabilities = std::uint64_t{1} << 24;
  EXPECT_EQ(PlanLaunch(request, host)->oom_score_adj, -500);
}

TEST(PlanMount, TakesWhatOnlyABindMountHas) {
  const Expected<MountStep> step = PlanMount({"/a/", "bind", "/b", {"rbind", "rslave", "idmap"}});
  ASSERT_TRUE(step.has_value()) << step.error().message;
  EXPECT_EQ(step->propagation, MountPropagation::kSlave);
  EXPECT_TRUE(step->idmapped);
  EXPECT_EQ(step->destination, "/a");
  EXPECT_FALSE(PlanMount({"/a", "tmpfs", "tmpfs", {"rslave"}}).has_value());
  EXPECT_FALSE(PlanMount({"/a", "tmpfs", "tmpfs", {"idmap"}}).has_value());
}

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/sh\nweb:x:33:34::/:\n# no user\nbroken:x:-1:0\n1234:x:5:6::/:\n";
constexpr std::string_view kGroup = "root:x:0:\nweb:x:34:web\nmail:x:8:other,web\nlp:x:7:web\n";

TEST(UserNames, AreLookedUpAsDockerDoes) {
  EXPECT_EQ(FindUser("web", kPasswd, kGroup), (UserIds{33, 34, {7, 8}}));
  EXPECT_EQ(FindUser("33", kPasswd, kGroup), (UserIds{33, 34, {7, 8}}));
  EXPECT_EQ(FindUser("web:mail", kPasswd, kGroup), (UserIds{33, 8, {}}));
  EXPECT_EQ(FindUser("web:99", kPasswd, kGroup), (UserIds{33, 99, {}}));
  EXPECT_EQ(FindUser("1000", kPasswd, kGroup), (UserIds{1000, 0, {}}));
  EXPECT_EQ(FindUser("1000:1001", "", ""), (UserIds{1000, 1001, {}}));
  EXPECT_EQ(FindUser("1234", kPasswd, kGroup)->uid, 1234U) << "a name that is a number";
  EXPECT_EQ(FindUser("4294967294", "", "")->uid, 4294967294U);
}

TEST(UserNames, AreNeverReadAsAnotherUser) {
  for (const std::string text : {"", ":", "web:", ":34", "a:b:c", "0x0", "+0", "-1", " 0", "0 ",
                                 "33abc", "1e3", "4294967295", "4294967296", "99999999999999999999",
                                 "broken", "nobody", "web:nogroup", "web:0x0"}) {
    const Expected<UserIds> ids = FindUser(text, kPasswd, kGroup);
    ASSERT_FALSE(ids.has_value()) << text << " is " << ids->uid;
    EXPECT_EQ(ids.error().code, ErrorCode::kInvalidInput);
    EXPECT_THAT(ids.error().message, HasSubstr("--user"));
  }
}

TEST(UserNames, AreReadInTheRootOnly) {
  const TempDir root;
  const TempDir outside;
  std::filesystem::create_directory(root / "etc");
  std::ofstream(outside / "passwd") << "web:x:33:34\n";
  std::filesystem::create_symlink(outside / "passwd", root / "etc/passwd");
  EXPECT_FALSE(FindUserIn(root.path(), "web").has_value());
  std::filesystem::remove(root / "etc/passwd");
  EXPECT_EQ(FindUserIn(root.path(), "5:6"), (UserIds{5, 6, {}})) << "no files are needed";
  ASSERT_EQ(::mkfifo((root / "etc/passwd").c_str(), 0600), 0);
  EXPECT_THAT(FindUserIn(root.path(), "web").error().message, HasSubstr("not a regular file"));
  std::filesystem::remove(root / "etc/passwd");
  std::ofstream(root / "etc/passwd") << std::string(kMaxUserFileBytes + 1, 'x');
  EXPECT_EQ(FindUserIn(root.path(), "web").error().code, ErrorCode::kLimit);
}

TEST(BaseFilter, ItsNumbersAreThoseOfTheTable) {
  for (const Architecture native : {Architecture::kX86_64, Architecture::kAarch64}) {
    const std::vector<BaseFilterCalls> rows = BaseFilterCallsOf(native);
    ASSERT_EQ(rows.size(), KernelArchitectures(native).size());
    for (const BaseFilterCalls& row : rows) {
      EXPECT_THAT(KernelArchitectures(native), ::testing::Contains(row.arch));
      EXPECT_EQ(SyscallNumber(row.arch, "ioctl"), row.ioctl) << Name(row.arch);
      EXPECT_EQ(SyscallNumber(row.arch, "clone"), row.clone) << Name(row.arch);
      EXPECT_EQ(SyscallNumber(row.arch, "unshare"), row.unshare) << Name(row.arch);
      EXPECT_EQ(SyscallNumber(row.arch, "clone3"), row.clone3) << Name(row.arch);
    }
  }
}

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;

std::uint32_t Answer(UserNamespacesInside user_namespaces, Architecture arch, std::string_view name,
                     std::uint64_t first, std::uint64_t second = 0) {
  const std::vector<sock_filter> filter = BaseFilter(Architecture::kX86_64, user_namespaces);
  EXPECT_TRUE(CheckBpf(filter).has_value());
  return InterpretBpf(filter, {{arch, *SyscallNumber(arch, name)}, {first, second}}).value_or(0);
}

TEST(BaseFilter, RefusesInputForATerminalWhateverTheUpperHalfSays) {
  constexpr auto kAllowed = UserNamespacesInside::kAllowed;
  for (const Architecture arch : KernelArchitectures(Architecture::kX86_64)) {
    for (const std::uint64_t request : {TIOCSTI, TIOCLINUX}) {
      EXPECT_EQ(Answer(kAllowed, arch, "ioctl", 0, request), kRefuse);
      EXPECT_EQ(Answer(kAllowed, arch, "ioctl", 0, request | (1ULL << 40)), kRefuse);
    }
    EXPECT_EQ(Answer(kAllowed, arch, "ioctl", 0, TCGETS), kAllow);
    EXPECT_EQ(Answer(kAllowed, arch, "read", TIOCSTI, TIOCSTI), kAllow);
    EXPECT_EQ(Answer(kAllowed, arch, "unshare", CLONE_NEWUSER), kAllow);
    EXPECT_EQ(Answer(kAllowed, arch, "clone3", 0), kAllow);
  }
}

TEST(BaseFilter, RefusesUserNamespacesWhereNoPolicySpeaksOfThem) {
  constexpr auto kRefused = UserNamespacesInside::kRefused;
  for (const Architecture arch : KernelArchitectures(Architecture::kX86_64)) {
    EXPECT_EQ(Answer(kRefused, arch, "unshare", CLONE_NEWUSER | CLONE_NEWNS), kRefuse);
    EXPECT_EQ(Answer(kRefused, arch, "clone", CLONE_NEWUSER | 17), kRefuse);
    EXPECT_EQ(Answer(kRefused, arch, "clone", CLONE_VM | CLONE_FS | CLONE_THREAD), kAllow);
    EXPECT_EQ(Answer(kRefused, arch, "unshare", CLONE_FS), kAllow);
    EXPECT_EQ(Answer(kRefused, arch, "clone3", 0), SECCOMP_RET_ERRNO | ENOSYS);
    EXPECT_EQ(Answer(kRefused, arch, "ioctl", 0, TIOCSTI), kRefuse);
  }
}

TEST(BaseFilter, AnUnknownAbiGetsNothing) {
  EXPECT_EQ(Answer(UserNamespacesInside::kAllowed, Architecture::kAarch64, "read", 0),
            SECCOMP_RET_ERRNO | ENOSYS);
  EXPECT_THAT(BaseFilter(Architecture::kS390x, UserNamespacesInside::kRefused), IsEmpty());
}

constexpr std::string_view kMountinfo =
    "1 0 8:1 / / ro,nodev,relatime - ext4 /dev/root rw\n"
    "2 1 0:5 / /proc rw,nosuid,nodev,noexec - proc proc rw\n"
    "3 2 0:5 /sys /proc/sys ro,nosuid - proc proc rw\n"
    "4 1 8:1 /srv /data ro,nodev - ext4 /dev/root rw\n";

LaunchPlan MountedPlan() {
  LaunchPlan plan;
  plan.mounts = {*PlanMount({"/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}}),
                 *PlanMount({"/data", "bind", "/srv", {"rbind", "ro", "nodev"}})};
  return plan;
}

TEST(CheckMounts, TakesWhatWasPlannedAndNamesWhatWasNot) {
  EXPECT_TRUE(CheckMounts(kMountinfo, MountedPlan()).has_value());
  const std::vector<std::array<std::string, 3>> changes{
      {"/ / ro,nodev", "/ / rw,nodev", "root is not read-only"},
      {"- proc proc", "- tmpfs proc", "'tmpfs' on '/proc'"},
      {"rw,nosuid,nodev,noexec", "rw,nosuid,nodev", "'/proc' is not noexec"},
      {"/data ro,nodev", "/data rw,nodev", "'/data' is not ro"},
      {"/sys /proc/sys", "/sys /", "2 mounts on '/'"}};
  for (const auto& [from, to, sentence] : changes) {
    std::string text(kMountinfo);
    text.replace(text.find(from), from.size(), to);
    const Status checked = CheckMounts(text, MountedPlan());
    ASSERT_FALSE(checked.has_value()) << to;
    EXPECT_THAT(checked.error().message, HasSubstr(sentence));
  }
  EXPECT_FALSE(CheckMounts("", MountedPlan()).has_value());
}

TEST(CheckMounts, TheUppermostMountOfAPlaceCounts) {
  const std::string cover = "5 4 0:9 / /data rw,nodev - tmpfs tmpfs rw\n";
  EXPECT_FALSE(CheckMounts(std::string(kMountinfo) + cover, MountedPlan()).has_value());
  EXPECT_FALSE(CheckMounts(cover + std::string(kMountinfo), MountedPlan()).has_value());
  const std::string covered = "5 1 0:9 / /data rw,nodev - tmpfs tmpfs rw\n";
  std::string above(kMountinfo);
  above.replace(above.find("4 1 8:1"), 7, "4 5 8:1");
  EXPECT_TRUE(CheckMounts(above + covered, MountedPlan()).has_value());
}

TEST(CheckMounts, AMountBelowWhatCoversItIsNotSeen) {
  LaunchPlan plan = MountedPlan();
  plan.mounts.push_back(*PlanMount({"/dev", "tmpfs", "tmpfs", {"nosuid"}}));
  plan.mounts.push_back(*PlanMount({"/dev/pts", "devpts", "devpts", {"nosuid"}}));
  const std::string hosts =
      "5 1 0:6 / /dev rw - devtmpfs dev rw\n"
      "6 5 0:7 / /dev/pts rw - devpts devpts rw\n";
  const std::string covering = "7 5 0:8 / /dev rw,nosuid - tmpfs tmpfs rw\n";
  const std::string own = "8 7 0:9 / /dev/pts rw,nosuid - devpts devpts rw\n";
  EXPECT_TRUE(CheckMounts(std::string(kMountinfo) + hosts + covering + own, plan).has_value());
  EXPECT_TRUE(CheckMounts(own + covering + hosts + std::string(kMountinfo), plan).has_value());
  EXPECT_FALSE(CheckMounts(std::string(kMountinfo) + hosts, plan).has_value());
}

TEST(VolumeLabels, AreTheContainersAtTheLevelOfTheWorkload) {
  EXPECT_EQ(VolumeLabel("system_u:system_r:web_t:s0:c1,c2", VolumeSharing::kPrivate),
            "system_u:object_r:container_file_t:s0:c1,c2");
  EXPECT_EQ(VolumeLabel("system_u:system_r:web_t:s0:c1,c2", VolumeSharing::kShared),
            "system_u:object_r:container_file_t:s0");
  EXPECT_EQ(VolumeLabel("", VolumeSharing::kPrivate), "system_u:object_r:container_file_t:s0");
}

std::string LabelOf(const std::string& path) {
  std::array<char, 256> label{};
  return ::lgetxattr(path.c_str(), "security.selinux", label.data(), label.size()) > 0
             ? label.data()
             : std::string();
}

TEST(VolumeLabels, AreWrittenOnAllThatIsInTheVolumeAndNothingElse) {
  const TempDir volume;
  const TempDir outside;
  std::filesystem::create_directories(volume / "sub/deep");
  std::ofstream(volume / "sub/deep/file") << "x";
  std::ofstream(outside / "file") << "x";
  std::filesystem::create_symlink(outside.path(), volume / "link");
  std::filesystem::create_symlink(outside / "file", volume / "sub/file");
  const std::string label = VolumeLabel("", VolumeSharing::kShared);
  if (::geteuid() != 0 || ::setxattr(volume.path().c_str(), "security.selinux", "x", 2, 0) != 0) {
    SKIP_BECAUSE("SELinux labels can be written here by nobody or not at all");
  }
  const Status labelled = RelabelVolume(volume.path(), label);
  ASSERT_TRUE(labelled.has_value()) << labelled.error().message;
  for (const std::string name : {"", "sub", "sub/deep", "sub/deep/file", "link", "sub/file"}) {
    EXPECT_EQ(LabelOf(volume / name), label) << name;
  }
  EXPECT_EQ(LabelOf(outside.path()), "");
  EXPECT_EQ(LabelOf(outside / "file"), "");
}

TEST(VolumeLabels, AreNotWrittenOnTheSystem) {
  for (const std::string path : {"/", "/etc", "/usr", "/var", "/home"}) {
    EXPECT_EQ(RelabelVolume(path, "x").error().code, ErrorCode::kInvalidInput) << path;
  }
}

}  // namespace
}  // namespace cordon
