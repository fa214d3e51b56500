#include "generator/attack_surface.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace cordon {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr Architecture kArch = Architecture::kX86_64;

SeccompPolicy Allowing(std::vector<std::string> names) {
  return {SeccompAction::Errno(ENOSYS),
          {kArch},
          {{std::move(names), SeccompAction::Allow(), {}, {}}},
          {}};
}

AttackSurface Measure(const SeccompPolicy& policy) {
  Expected<AttackSurface> surface = MeasureAttackSurface(policy);
  EXPECT_TRUE(surface.has_value()) << surface.error().message;
  return surface ? *std::move(surface) : AttackSurface{};
}

TEST(MeasureAttackSurface, CountsWhatSomeArgumentsGetPast) {
  SeccompPolicy policy = Allowing({"read", "write", "exit_group"});
  policy.rules.push_back(
      {{"socket"}, SeccompAction::Allow(), {{0, Comparison::kMaskedEqual, 2, 0xffffffff}}, {}});
  policy.rules.push_back({{"kill"}, {SeccompActionKind::kLog, 0}, {}, {}});
  policy.rules.push_back({{"mount"}, SeccompAction::Errno(EPERM), {}, {}});
  policy.rules.push_back({{"ptrace"}, SeccompAction::Notify(), {}, {}});
  const AttackSurface surface = Measure(policy);
  EXPECT_THAT(surface.policy_architectures, ElementsAre("x86_64"));
  const AdmittedCalls& calls = surface.architectures.at("x86_64");
  EXPECT_EQ(calls.known, SyscallsOf(kArch).size());
  EXPECT_EQ(calls.admitted, 5U);
  EXPECT_EQ(calls.conditional, 1U);
  EXPECT_THAT(surface.open_groups, IsEmpty());
  // Docker opens two ABIs beside, this policy does not.
  for (const char* other : {"x86", "x32"}) {
    EXPECT_EQ(surface.architectures.at(other).admitted, 0U) << other;
    EXPECT_GT(surface.architectures.at(other).docker_default, 250U) << other;
  }
}

TEST(MeasureAttackSurface, DoesNotCountARuleThatAnotherOneOverrules) {
  SeccompPolicy policy = Allowing({"read"});
  policy.rules.push_back({{"read"}, SeccompAction::Errno(EPERM), {}, {}});
  EXPECT_EQ(Measure(policy).architectures.at("x86_64").admitted, 0U);
}

TEST(MeasureAttackSurface, AnUnconfinedProgramHasEverything) {
  const AttackSurface surface = Measure({SeccompAction::Allow(), {kArch}, {}, {}});
  const AdmittedCalls& calls = surface.architectures.at("x86_64");
  EXPECT_EQ(calls.admitted, calls.known);
  EXPECT_EQ(calls.conditional, 0U);
  EXPECT_EQ(surface.open_groups.size(), surface.known_groups);
  EXPECT_GT(surface.known_groups, 12U);
}

TEST(MeasureAttackSurface, ReadsDockersDefaultAsDockerDoes) {
  const AttackSurface surface = Measure(Allowing({"read"}));
  const AdmittedCalls& calls = surface.architectures.at("x86_64");
  EXPECT_GT(calls.docker_default, 280U);
  EXPECT_LT(calls.docker_default, calls.known);
  // Since Linux 4.8 ptrace is let through; bpf only with CAP_SYS_ADMIN, which is no default.
  EXPECT_THAT(surface.docker_default_open, Contains("other-processes"));
  EXPECT_THAT(surface.docker_default_open, Contains("terminal-injection"));
  EXPECT_THAT(surface.docker_default_open, Not(Contains("bpf")));
  EXPECT_THAT(surface.docker_default_open, Not(Contains("mounts")));
  // arm is a second ABI of the 64-bit engine.
  SeccompPolicy arm = Allowing({"read"});
  arm.architectures = {Architecture::kArm};
  EXPECT_GT(Measure(arm).architectures.at("arm").docker_default, 280U);
}

TEST(MeasureAttackSurface, LooksAtTheArgumentsThatMakeACallDangerous) {
  SeccompPolicy policy = Allowing({"read"});
  policy.rules.push_back(
      {{"clone"}, SeccompAction::Allow(), {{0, Comparison::kMaskedEqual, 0, 0x7e020000}}, {}});
  EXPECT_THAT(Measure(policy).open_groups, IsEmpty());
  policy.rules.back().conditions.clear();
  const AttackSurface open = Measure(policy);
  ASSERT_THAT(open.open_groups, SizeIs(1));
  EXPECT_EQ(open.open_groups.front().group, "user-namespaces");
  EXPECT_THAT(open.open_groups.front().calls, ElementsAre(HasSubstr("clone(0x10000000")));
}

}  // namespace
}  // namespace cordon
