#include "model/bounded_compilation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "model/seccomp_compiler.h"

namespace cordon {
namespace {

using ::testing::HasSubstr;

ArgumentCondition Compare(unsigned index, Comparison comparison, std::uint64_t value) {
  return {index, comparison, value, 0};
}

SeccompRule AllowSemop(std::vector<ArgumentCondition> conditions) {
  return {{"semop"}, SeccompAction::Allow(), std::move(conditions), ""};
}

SeccompPolicy Policy(std::vector<SeccompRule> rules) {
  return {SeccompAction::Errno(ENOSYS), {Architecture::kX86_64}, std::move(rules), {}};
}

TEST(CompileBounded, EndsWhereLibseccompDoesNot) {
  // A fuzzer's finding: libseccomp 2.5.4's seccomp_rule_add() never returns from the second rule.
  const SeccompPolicy policy = Policy({AllowSemop({Compare(1, Comparison::kGreaterOrEqual, 0),
                                                   Compare(2, Comparison::kGreaterOrEqual, 0)}),
                                       AllowSemop({Compare(1, Comparison::kGreaterOrEqual, 0),
                                                   Compare(2, Comparison::kEqual, 0)})});
  const auto program = CompileSeccomp(policy);
  if (program) {
    GTEST_SKIP() << "SKIPPED: " << SeccompCompilerVersion() << " compiles this policy";
  }
  EXPECT_EQ(program.error().code, ErrorCode::kLimit);
  EXPECT_THAT(program.error().message, HasSubstr("took more than 5 s of processor time"));
}

TEST(CompileBounded, BringsBackWhatTheChildCompiled) {
  // Several conditions, one of them no equality: compiled in a child.
  const auto program = CompileSeccomp(Policy({AllowSemop(
      {Compare(1, Comparison::kGreaterOrEqual, 7), Compare(2, Comparison::kEqual, 1)})}));
  ASSERT_TRUE(program.has_value()) << program.error().message;
  EXPECT_GT(program->size(), 5U);
}

TEST(CompileBounded, BringsBackWhyTheChildFailed) {
  constexpr std::uint64_t kRules = 5000;
  std::vector<SeccompRule> rules;
  rules.reserve(kRules);
  for (std::uint64_t value = 0; value < kRules; value++) {
    rules.push_back(AllowSemop({Compare(1, Comparison::kEqual, value)}));
  }
  const auto program = CompileSeccomp(Policy(rules));
  ASSERT_FALSE(program.has_value());
  EXPECT_EQ(program.error().code, ErrorCode::kLimit);
  EXPECT_THAT(program.error().message, HasSubstr("the kernel takes 4096"));
}

}  // namespace
}  // namespace cordon
