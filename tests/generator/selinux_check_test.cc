#include "generator/selinux_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cordon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A policy with two domains and one file type, and a rule that nobody but admin_t may write it.
SelinuxTarget SmallTarget() {
  Expected<SelinuxTarget> target =
      TargetFromTables("small",
                       "class file read write open\nclass process fork\nrole object_r\nrole "
                       "system_r\ntype admin_t\ntype kernel_t\ntype secret_t\n",
                       "tree /secret secret_t\n");
  EXPECT_TRUE(target.has_value()) << target.error().message;
  target->modules.push_back(
      {"rules",
       "(typeattribute others)(typeattributeset others (not (admin_t)))"
       "(neverallow others secret_t (file (write)))(allow admin_t secret_t (file (write)))"});
  return std::move(*target);
}

constexpr const char* kOurs =
    "(type ours_t)(roletype system_r ours_t)(allow ours_t secret_t (file (read)))"
    "(filecon \"/secret/ours\" any (system_u object_r secret_t ((s0) (s0))))";

SelinuxQuestion Ask(const std::string& source, const std::set<std::string>& permissions) {
  return {.source = source,
          .source_role = "system_r",
          .target = "secret_t",
          .target_role = "object_r",
          .object_class = "file",
          .permissions = permissions};
}

TEST(CompileSelinux, GivesAPolicyThatAnswers) {
  const Expected<CompiledSelinux> compiled =
      CompileSelinux(SmallTarget().modules, {"ours", kOurs}, NeverallowCheck::kOn);
  ASSERT_TRUE(compiled.has_value()) << compiled.error().message;
  EXPECT_THAT(compiled->file_contexts, HasSubstr("/secret/ours"));
  SelinuxQuestion unknown = Ask("ours_t", {"read"});
  unknown.object_class = "teapot";
  const Expected<std::vector<SelinuxAnswer>> answers =
      AskSelinux(compiled->policy, {Ask("ours_t", {"read"}), Ask("ours_t", {"read", "write"}),
                                    Ask("admin_t", {"write"}), Ask("nobody_t", {"read"}),
                                    Ask("ours_t", {"brew"}), unknown});
  ASSERT_TRUE(answers.has_value()) << answers.error().message;
  EXPECT_THAT((*answers)[0].missing, IsEmpty());
  EXPECT_THAT((*answers)[1].missing, ElementsAre("write"));
  EXPECT_EQ((*answers)[1].reason, "no rule allows it");
  EXPECT_THAT((*answers)[2].missing, IsEmpty());
  EXPECT_THAT((*answers)[3].missing, ElementsAre("read"));
  EXPECT_THAT((*answers)[4].missing, ElementsAre("brew"));
  EXPECT_THAT((*answers)[5].missing, ElementsAre("read"));
}

TEST(CompileSelinux, ChecksNeverallowRulesWhenTold) {
  const std::string breaking = std::string(kOurs) + "(allow ours_t secret_t (file (write)))";
  const Expected<CompiledSelinux> checked =
      CompileSelinux(SmallTarget().modules, {"ours", breaking}, NeverallowCheck::kOn);
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(checked.error().message, HasSubstr("neverallow"));
  EXPECT_TRUE(
      CompileSelinux(SmallTarget().modules, {"ours", breaking}, NeverallowCheck::kOff).has_value());
}

TEST(CompileSelinux, RepeatsTheCompilersWordsInOneLine) {
  const Expected<CompiledSelinux> compiled = CompileSelinux(
      SmallTarget().modules, {"ours", "(type a_t)\n(allow a_t nowhere_t (file (read)))"},
      NeverallowCheck::kOn);
  ASSERT_FALSE(compiled.has_value());
  EXPECT_THAT(compiled.error().message, HasSubstr("ours:2"));
  EXPECT_EQ(compiled.error().message.find('\n'), std::string::npos);
}

TEST(AskSelinux, RefusesWhatIsNoPolicy) {
  const Expected<std::vector<SelinuxAnswer>> answers =
      AskSelinux("not a policy", {Ask("a_t", {"read"})});
  ASSERT_FALSE(answers.has_value());
  EXPECT_EQ(answers.error().code, ErrorCode::kInvalidInput);
}

}  // namespace
}  // namespace cordon
