// Modules with something wrong, and names that others wait for: the slice of Debian's policy beside
// all of it. Each takes a compile of the whole policy.

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "generator/policy_slice.h"
#include "generator/selinux_check.h"
#include "generator/target_compiler.h"
#include "tests/generator/debian_policy.h"

namespace cordon {
namespace {

/// One statement that has no place in a module for Debian's policy.
struct Sabotage {
  const char* what;
  const char* statement;
};

/// Modules without one wrong statement, and with it.
class SabotagedDebian : public testing::DebianPolicyTest {
 protected:
  void SetUp() override {
    DebianPolicyTest::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) {
      slice_ = SlicePolicy(target_.modules);
      ASSERT_TRUE(slice_.has_value());
    }
  }

  static std::string Bare(const std::string& more) {
    return "(type bare_t)(roletype system_r bare_t)(roletype object_r bare_t)"
           "(typeattributeset domain (bare_t))" +
           more;
  }

  std::optional<PolicySlice> slice_;
};

TEST_F(SabotagedDebian, RefusesWhatTheWholePolicyRefuses) {
  ASSERT_TRUE(
      CompileSelinux(target_.modules, {"bare", Bare("")}, NeverallowCheck::kOn).has_value());
  ASSERT_TRUE(
      CompileSelinux(slice_->modules, {"bare", Bare("")}, NeverallowCheck::kOn).has_value());
  const std::vector<Sabotage> sabotages{
      {"neverallow", "(allow bare_t shadow_t (file (read)))"},
      {"neverallow through an attribute of the policy",
       "(type bare_file_t)(typeattributeset file_type (bare_file_t))"
       "(allow bare_t file_type (file (read)))"},
      {"neverallow by joining an attribute", "(typeattributeset files_unconfined_type (bare_t))"},
      {"neverallow between types of the policy",
       "(allow init_t memory_device_t (chr_file (read)))"
       "(allow httpd_t shadow_t (file (read)))"},
      {"self", "(allow bare_t self (capability (sys_module)))"},
      {"unknown type", "(allow bare_t nowhere_t (file (read)))"},
      {"type of a block that is off", "(allow bare_t rpm_t (fd (use)))"},
      {"unknown permission", "(allow bare_t bin_t (file (brew)))"},
      {"unknown class", "(allow bare_t bin_t (teapot (read)))"},
      {"unknown attribute", "(typeattributeset no_attribute (bare_t))"},
      {"unknown role", "(roletype nobody_r bare_t)"},
      {"type declared twice", "(type httpd_t)"},
      {"attribute declared twice", "(typeattribute domain)"},
      {"contradicting transitions",
       "(typetransition bare_t tmp_t file bin_t)"
       "(typetransition bare_t tmp_t file etc_t)"},
      {"invalid context", "(filecon \"/bare\" any (system_u nobody_r bare_t ((s0) (s0))))"},
      {"bounds",
       "(type inner_t)(roletype system_r inner_t)(typebounds bare_t inner_t)"
       "(allow inner_t bin_t (file (read)))"},
      {"another type's set",
       "(typeattributeset can_read_shadow_passwords (httpd_t))"
       "(typetransition httpd_t httpd_t process init_t)"
       "(allow httpd_t memory_device_t (chr_file (write)))"},
  };
  int spoken_for = 0;
  for (const Sabotage& sabotage : sabotages) {
    const CilModule module{.name = "bare", .text = Bare(sabotage.statement)};
    const auto whole = CompileSelinux(target_.modules, module, NeverallowCheck::kOn);
    EXPECT_FALSE(whole.has_value()) << "no sabotage: " << sabotage.what;
    if (slice_->SpeaksFor(module)) {
      ++spoken_for;
      EXPECT_FALSE(CompileSelinux(slice_->modules, module, NeverallowCheck::kOn).has_value())
          << sabotage.what;
    }
  }
  EXPECT_GT(spoken_for, 10);
}

/// What the slice refuses is said in the words of the whole policy.
TEST_F(SabotagedDebian, IsRefusedInTheWordsOfTheWholePolicy) {
  SelinuxTarget target = target_;
  target.slice = slice_;
  target.modules.clear();
  for (const CilModule& part : target_.modules) {
    target.stored.push_back({.name = part.name, .path = part.name, .data = part.text});
  }
  const CilModule module{.name = "bare", .text = Bare("(allow bare_t shadow_t (file (read)))")};
  ASSERT_TRUE(slice_->SpeaksFor(module));
  const auto compiled = CompileForTarget(&target, module);
  const auto whole = CompileSelinux(target_.modules, module, NeverallowCheck::kOn);
  ASSERT_FALSE(compiled.has_value() || whole.has_value());
  EXPECT_EQ(compiled.error().message, whole.error().message);
}

/// A type that other modules ask for in optional blocks turns rules of theirs on.
TEST_F(SabotagedDebian, LeavesNamesThatOthersWaitForToTheWholePolicy) {
  const CilModule module{.name = "rpm",
                         .text =
                             "(type rpm_t)(roletype system_r rpm_t)"
                             "(typeattributeset domain (rpm_t))"};
  EXPECT_FALSE(slice_->SpeaksFor(module));
  const auto whole = CompileSelinux(target_.modules, module, NeverallowCheck::kOn);
  ASSERT_TRUE(whole.has_value()) << whole.error().message;
  const auto sliced = CompileSelinux(slice_->modules, module, NeverallowCheck::kOn);
  ASSERT_TRUE(sliced.has_value());
  const std::vector<SelinuxQuestion> question{{.source = "accountsd_t",
                                               .source_role = "system_r",
                                               .target = "rpm_t",
                                               .target_role = "system_r",
                                               .object_class = "fd",
                                               .permissions = {"use"}}};
  EXPECT_TRUE(AskSelinux(whole->policy, question)->front().missing.empty());
  EXPECT_FALSE(AskSelinux(sliced->policy, question)->front().missing.empty());
}

}  // namespace
}  // namespace cordon
