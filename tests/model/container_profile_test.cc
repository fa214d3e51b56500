#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "model/seccomp_policy_json.h"

namespace cordon {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

const ProfileContext kDefault{Architecture::kX86_64, DefaultContainerCapabilities(), {5, 10}};

ResolvedProfile MustRead(const std::string& text, const ProfileContext& context = kDefault) {
  Expected<ResolvedProfile> profile = ReadContainerProfile(text, "p.json", context);
  EXPECT_TRUE(profile.has_value()) << profile.error().message;
  return profile ? *std::move(profile) : ResolvedProfile{};
}

std::string WithRule(const std::string& rule) {
  return R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[)" + rule + "]}";
}

SeccompAction Ask(const SeccompPolicy& policy, std::string_view name,
                  std::array<std::uint64_t, 6> arguments = {},
                  Architecture arch = Architecture::kX86_64) {
  return Evaluate(policy, {{arch, SyscallNumber(arch, name).value_or(-1)}, arguments});
}

TEST(ReadContainerProfile, TakesTheMapOfTheContextsArchitecture) {
  const std::string text =
      R"({"defaultAction":"SCMP_ACT_ERRNO","archMap":[)"
      R"({"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86","SCMP_ARCH_X32"]},)"
      R"({"architecture":"SCMP_ARCH_AARCH64","subArchitectures":["SCMP_ARCH_ARM"]},)"
      R"({"architecture":"SCMP_ARCH_MIPS64","subArchitectures":["SCMP_ARCH_MIPS"]}]})";
  EXPECT_EQ(MustRead(text).policy.architectures,
            (std::vector{Architecture::kX86_64, Architecture::kX86, Architecture::kX32}));
  ProfileContext arm = kDefault;
  arm.architecture = Architecture::kAarch64;
  EXPECT_EQ(MustRead(text, arm).policy.architectures,
            (std::vector{Architecture::kAarch64, Architecture::kArm}));
}

TEST(ReadContainerProfile, AddsTheNativeArchitecture) {
  const ResolvedProfile profile = MustRead(
      R"({"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86","SCMP_ARCH_MIPS"]})");
  EXPECT_EQ(profile.policy.architectures, (std::vector{Architecture::kX86_64, Architecture::kX86}));
  EXPECT_THAT(profile.notes, Contains(Field(&ProfileNote::text, HasSubstr("/architectures/1"))));
}

TEST(ReadContainerProfile, ResolvesConditionsForTheContext) {
  struct Case {
    std::string filter;
    bool applies;
  };

  const std::vector<Case> cases = {
      {R"("includes":{"caps":["CAP_CHOWN"]})", true},
      {R"("includes":{"caps":["CAP_CHOWN","CAP_SYS_ADMIN"]})", false},
      {R"("excludes":{"caps":["CAP_CHOWN","CAP_SYS_ADMIN"]})", false},
      {R"("excludes":{"caps":["CAP_SYS_ADMIN"]})", true},
      {R"("includes":{"arches":["amd64","x32"]})", true},
      {R"("includes":{"arches":["arm64"]})", false},
      {R"("excludes":{"arches":["s390x","amd64"]})", false},
      {R"("includes":{"minKernel":"4.8"})", true},
      {R"("includes":{"minKernel":"5.10"})", true},
      {R"("includes":{"minKernel":"5.11"})", false},
      {R"("excludes":{"minKernel":"5.10"})", false},
      {R"("excludes":{"minKernel":"6.0"})", true},
      {R"("includes":{},"excludes":null)", true},
      {R"("includes":{"caps":["CAP_CHOWN"],"minKernel":"6.0"})", false},
  };
  for (const Case& one : cases) {
    const ResolvedProfile profile =
        MustRead(WithRule(R"({"names":["read"],"action":"SCMP_ACT_ALLOW",)" + one.filter + "}"));
    EXPECT_EQ(Ask(profile.policy, "read") == SeccompAction::Allow(), one.applies) << one.filter;
    EXPECT_EQ(profile.notes.empty(), one.applies) << one.filter;
  }
}

TEST(ReadContainerProfile, TakesErrnosAsPodmanWritesThem) {
  const ResolvedProfile profile = MustRead(
      R"({"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":1,"defaultErrno":"ENOSYS","syscalls":[)"
      R"({"name":"mount","action":"SCMP_ACT_ERRNO","errnoRet":1,"errno":"EINVAL","args":null}]})");
  EXPECT_EQ(profile.policy.default_action, SeccompAction::Errno(38));
  EXPECT_EQ(Ask(profile.policy, "mount"), SeccompAction::Errno(22));
}

TEST(ReadContainerProfile, TakesTwoConditionsOnOneArgumentAsAlternatives) {
  const SeccompPolicy policy =
      MustRead(WithRule(R"({"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[)"
                        R"({"index":0,"value":1,"op":"SCMP_CMP_EQ"},)"
                        R"({"index":0,"value":2,"op":"SCMP_CMP_EQ"},)"
                        R"({"index":1,"value":5,"op":"SCMP_CMP_EQ"}]})"))
          .policy;
  EXPECT_EQ(Ask(policy, "socket", {1, 9}), SeccompAction::Allow());
  EXPECT_EQ(Ask(policy, "socket", {2, 9}), SeccompAction::Allow());
  EXPECT_EQ(Ask(policy, "socket", {9, 5}), SeccompAction::Allow());
  EXPECT_EQ(Ask(policy, "socket", {9, 9}), SeccompAction::Errno(1));
}

TEST(ReadContainerProfile, LeavesOutUnknownCallsAndSaysSo) {
  const ResolvedProfile profile =
      MustRead(WithRule(R"({"names":["read","no_such_call"],"action":"SCMP_ACT_ALLOW"})"));
  EXPECT_EQ(Ask(profile.policy, "read"), SeccompAction::Allow());
  EXPECT_THAT(profile.notes,
              Contains(Field(&ProfileNote::text, HasSubstr("p.json: /syscalls/0/names/1"))));
}

TEST(ReadContainerProfile, LetsTheFirstUnconditionalRuleCount) {
  const ResolvedProfile profile =
      MustRead(WithRule(R"({"names":["read"],"action":"SCMP_ACT_ERRNO","errnoRet":1},)"
                        R"({"names":["setns"],"action":"SCMP_ACT_TRAP",)"
                        R"("args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]},)"
                        R"({"names":["read","setns","write"],"action":"SCMP_ACT_ALLOW"},)"
                        R"({"names":["setns"],"action":"SCMP_ACT_ERRNO","errnoRet":13})"));
  EXPECT_EQ(Ask(profile.policy, "setns", {1}), SeccompAction::Allow());
  EXPECT_EQ(Ask(profile.policy, "setns", {2}), SeccompAction::Allow());
  // A rule that repeats the default action is skipped, so that it takes nothing.
  EXPECT_EQ(Ask(profile.policy, "read"), SeccompAction::Allow());
  EXPECT_EQ(profile.places, (std::vector<std::string>{"/syscalls/0", "/syscalls/2"}));
  EXPECT_THAT(
      profile.notes,
      ElementsAre(
          Field(&ProfileNote::text, HasSubstr("p.json: /syscalls/1: without effect on setns")),
          Field(&ProfileNote::text, HasSubstr("p.json: /syscalls/3: without effect on setns"))));
}

TEST(ReadContainerProfile, NamesBothRulesThatContradict) {
  const Expected<ResolvedProfile> profile = ReadContainerProfile(
      WithRule(R"({"names":["read"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_BPF"]}},)"
               R"({"names":["socket"],"action":"SCMP_ACT_ALLOW",)"
               R"("args":[{"index":0,"value":2,"op":"SCMP_CMP_LT"}]},)"
               R"({"names":["socket"],"action":"SCMP_ACT_TRAP",)"
               R"("args":[{"index":1,"value":2,"op":"SCMP_CMP_EQ"}]})"),
      "p.json", kDefault);
  ASSERT_FALSE(profile.has_value());
  EXPECT_THAT(profile.error().message, HasSubstr("p.json: /syscalls/2: rules /syscalls/1 and"));
}

TEST(ReadContainerProfile, RefusesWhatTheEnginesRefuse) {
  struct Case {
    std::string text;
    std::string place;
  };

  const std::vector<Case> cases = {
      {R"({"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86"],)"
       R"("archMap":[{"architecture":"SCMP_ARCH_X86_64"}]})",
       "/archMap"},
      {WithRule(R"({"name":"read","names":["write"],"action":"SCMP_ACT_ALLOW"})"),
       "/syscalls/0/name"},
      {WithRule(R"({"names":["read"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"5"}})"),
       "/syscalls/0/includes/minKernel"},
      {WithRule(R"({"names":["read"],"action":"SCMP_ACT_ALLOW","includes":{"kernel":"5.1"}})"),
       "/syscalls/0/includes/kernel"},
      {WithRule(R"({"names":["read"],"action":"SCMP_ACT_ERRNO","errno":"EWHAT"})"),
       "/syscalls/0/errno"},
      {R"({"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_Z80"]})",
       "/architectures/0"},
      {R"({"defaultAction":"SCMP_ACT_ERRNO","surprise":1})", "/surprise"},
  };
  for (const Case& one : cases) {
    const Expected<ResolvedProfile> profile = ReadContainerProfile(one.text, "p.json", kDefault);
    ASSERT_FALSE(profile.has_value()) << one.text;
    EXPECT_EQ(profile.error().code, ErrorCode::kInvalidInput);
    EXPECT_THAT(profile.error().message, HasSubstr("p.json: " + one.place));
  }
}

TEST(ParseKernelVersion, TakesTwoNumbers) {
  EXPECT_EQ(ParseKernelVersion("5.10"), (KernelVersion{5, 10}));
  EXPECT_LT(ParseKernelVersion("5.9"), ParseKernelVersion("5.10"));
  for (const char* text : {"", "5", "5.", ".5", "5.10.1", "0.0", "256.1", "a.b", "-1.2", "5.1x"}) {
    EXPECT_FALSE(ParseKernelVersion(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace cordon
