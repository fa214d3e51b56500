#include "generator/selinux_replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/file.h"
#include "generator/domain_rules.h"
#include "generator/selinux_check.h"
#include "generator/selinux_generator.h"
#include "tests/generator/selinux_recordings.h"
#include "tests/testing/temp_dir.h"

namespace cordon {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A policy with one domain, worker_t, whose files in /srv are born as made_t.
constexpr const char* kSymbols =
    "class file read write open getattr ioctl create append unlink\nclass dir search add_name "
    "remove_name write getattr\nclass process fork\nrole object_r\nrole system_r\n"
    "type kernel_t\ntype worker_t\ntype root_t\ntype secret_t\ntype made_t\ntype guarded_t\ntype "
    "srv_t\n";
constexpr const char* kPlaces =
    "path / root_t dir\ntree /secret secret_t\ntree /guarded guarded_t\ntree /srv srv_t\nnone "
    "/srv\n";
constexpr const char* kRules =
    "(typeattribute workers)(typeattributeset workers (worker_t))\n"
    "(typeattribute things)(typeattributeset things (made_t guarded_t))\n"
    "(allow worker_t root_t (dir (search)))(allow worker_t srv_t (dir (search write add_name)))\n"
    "(allow workers things (file (read write open getattr ioctl create)))\n"
    "(allow worker_t guarded_t (dir (search)))(allow worker_t secret_t (dir (search)))\n"
    "(allowx workers things (ioctl file (0x5401 (range 0x5410 0x5412))))\n"
    "(typetransition workers srv_t file \"log\" guarded_t)\n"
    "(typetransition worker_t srv_t file made_t)\n"
    "(constrain (file (write)) (neq t2 guarded_t))\n";

SelinuxPolicyFile SmallPolicy() {
  Expected<SelinuxTarget> target = TargetFromTables("small", kSymbols, kPlaces);
  EXPECT_TRUE(target.has_value()) << target.error().message;
  const Expected<CompiledSelinux> compiled =
      CompileSelinux(target->modules, {"rules", kRules}, NeverallowCheck::kOff);
  EXPECT_TRUE(compiled.has_value()) << compiled.error().message;
  const testing::TempDir work;
  EXPECT_TRUE(WriteFileAtomically(work / "contexts", compiled->file_contexts).has_value());
  Expected<SelinuxPolicyFile> file =
      ReadSelinuxPolicyFile("policy.33", compiled->policy, SelinuxFileKind::kCompiled,
                            {.target = {}, .file_contexts = work / "contexts"});
  EXPECT_TRUE(file.has_value()) << file.error().message;
  return file.value_or(SelinuxPolicyFile{});
}

Recording OneFile(const std::string& path, FileAccessSet access,
                  const std::set<std::uint32_t>& ioctls = {}) {
  Recording recording;
  testing::AddFile(&recording, path, FileClass::kFile, access, ioctls);
  return recording;
}

SelinuxReplay Replayed(const Recording& recording) {
  Expected<SelinuxReplay> replay = ReplayRecording(SmallPolicy(), "worker_t", recording);
  EXPECT_TRUE(replay.has_value()) << replay.error().message;
  return replay.value_or(SelinuxReplay{});
}

TEST(ReadDomainRules, FollowsAttributesAndWritesRangesOut) {
  const DomainRules rules = ReadDomainRules(SmallPolicy().cil, "worker_t");
  EXPECT_THAT(rules.attributes, Contains("workers"));
  ASSERT_EQ(rules.transitions.size(), 2U);
  EXPECT_EQ(rules.transitions.at({"worker_t", "srv_t", "file", ""}).type, "made_t");
  EXPECT_EQ(rules.transitions.at({"worker_t", "srv_t", "file", "log"}).type, "guarded_t");
  EXPECT_THAT(rules.allow_ioctl.at({"worker_t", "made_t", "file"}).requests,
              ElementsAre(0x5401, 0x5410, 0x5411, 0x5412));
  EXPECT_TRUE(rules.allow_ioctl.contains({"worker_t", "guarded_t", "file"}));
  EXPECT_THAT(ReadDomainRules(SmallPolicy().cil, "kernel_t").transitions, IsEmpty());
}

TEST(ReplayRecording, NamesTheMissingRule) {
  const Recording recording = OneFile("/secret/key", {FileAccess::kOpen, FileAccess::kRead});
  const SelinuxReplay replay = Replayed(recording);
  ASSERT_EQ(replay.denied.size(), 1U);
  EXPECT_EQ(replay.denied[0].place, "/secret/key");
  EXPECT_EQ(MissingRule(replay.denied[0], replay.domain),
            "allow worker_t secret_t:file { getattr open read };");
  EXPECT_EQ(replay.Refused(), 3U);
  EXPECT_GT(replay.asked, replay.Refused());
}

TEST(ReplayRecording, NamesTheConstraint) {
  const SelinuxReplay replay =
      Replayed(OneFile("/guarded/book", {FileAccess::kOpen, FileAccess::kWrite}));
  ASSERT_EQ(replay.denied.size(), 1U);
  EXPECT_THAT(replay.denied[0].permissions, ElementsAre("write"));
  EXPECT_THAT(replay.denied[0].reason, HasSubstr("constraint"));
  EXPECT_THAT(replay.denied[0].reason, HasSubstr("t2 != guarded_t"));
  EXPECT_EQ(MissingRule(replay.denied[0], replay.domain), "");
}

TEST(ReplayRecording, LabelsWhatTheWorkloadMadeByTheTransitionsOfThePolicy) {
  Recording recording =
      OneFile("/srv/x", {FileAccess::kOpen, FileAccess::kWrite, FileAccess::kCreate});
  EXPECT_THAT(Replayed(recording).denied, IsEmpty());
  testing::AddFile(&recording, "/srv/log", FileClass::kFile,
                   {FileAccess::kOpen, FileAccess::kWrite, FileAccess::kCreate});
  EXPECT_THAT(Replayed(recording).denied, ElementsAre(Field(&DeniedAccess::place, "/srv/log")));
}

TEST(ReplayRecording, AsksForTheNumbersOfIoctls) {
  using enum FileAccess;
  EXPECT_THAT(Replayed(OneFile("/srv/x", {kOpen, kCreate, kIoctl}, {0x5411})).denied, IsEmpty());
  const SelinuxReplay replay =
      Replayed(OneFile("/srv/x", {kOpen, kCreate, kIoctl}, {0x5411, 0x5413}));
  ASSERT_EQ(replay.denied.size(), 1U);
  EXPECT_THAT(replay.denied[0].requests, ElementsAre(0x5413));
  EXPECT_EQ(MissingRule(replay.denied[0], replay.domain),
            "allowxperm worker_t made_t:file ioctl { 0x5413 };");
}

TEST(ReplayRecording, SaysWhatThePolicyHasNoWordFor) {
  const SelinuxReplay replay =
      Replayed(OneFile("/srv/x", {FileAccess::kCreate, FileAccess::kLock}));
  EXPECT_THAT(replay.unknown, Contains("permission lock of class file"));
}

TEST(ReplayRecording, WantsADomainThatThePolicyHas) {
  const SelinuxPolicyFile file = SmallPolicy();
  for (const std::string domain : {"", "nobody_t"}) {
    const Expected<SelinuxReplay> replay = ReplayRecording(file, domain, Recording{});
    ASSERT_FALSE(replay.has_value());
    EXPECT_EQ(replay.error().code, ErrorCode::kInvalidInput);
    EXPECT_THAT(replay.error().message, HasSubstr("--domain"));
  }
}

TEST(ReadSelinuxPolicyFile, RefusesRubbishThatLooksLikeAPolicy) {
  std::string bytes = SmallPolicy().policy;
  ASSERT_EQ(SelinuxFileKindOf(bytes, "x"), SelinuxFileKind::kCompiled);
  bytes.resize(bytes.size() / 2);
  const Expected<SelinuxPolicyFile> file =
      ReadSelinuxPolicyFile("half.33", bytes, SelinuxFileKind::kCompiled, {});
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(file.error().message, HasSubstr("half.33"));
}

/// A generated module, read back as a user names it, allows what it was made from.
TEST(ReadSelinuxPolicyFile, HoldsAModuleToItsOwnRecording) {
  const Recording recording = testing::TinyServer();
  const Expected<GeneratedSelinux> generated =
      GenerateSelinux(recording, {.name = "tinyd", .target = "refpolicy-debian12"});
  ASSERT_TRUE(generated.has_value()) << generated.error().message;
  const Expected<SelinuxPolicyFile> file = ReadSelinuxPolicyFile(
      "somewhere/tinyd.cil", generated->files.at("tinyd.cil"), SelinuxFileKind::kCil,
      {.target = "refpolicy-debian12", .file_contexts = {}});
  ASSERT_TRUE(file.has_value()) << file.error().message;
  EXPECT_EQ(file->domain, "tinyd_t");
  const Expected<SelinuxReplay> replay = ReplayRecording(*file, "", recording);
  ASSERT_TRUE(replay.has_value()) << replay.error().message;
  EXPECT_THAT(replay->denied, IsEmpty());
  EXPECT_GT(replay->asked, 100U);
  Recording more = recording;
  testing::AddFile(&more, "/etc/shadow", FileClass::kFile, {FileAccess::kOpen, FileAccess::kRead});
  const Expected<SelinuxReplay> refused = ReplayRecording(*file, "", more);
  ASSERT_TRUE(refused.has_value());
  EXPECT_THAT(refused->denied, ElementsAre(Field(&DeniedAccess::place, "/etc/shadow")));
}

}  // namespace
}  // namespace cordon
