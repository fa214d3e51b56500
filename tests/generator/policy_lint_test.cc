#include "generator/policy_lint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "generator/dangerous_calls.h"
#include "generator/seccomp_generator.h"
#include "tests/testing/recorded.h"

namespace cordon {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr SeccompAction kAllow = SeccompAction::Allow();

std::vector<LintFinding> Findings(const SeccompPolicy& policy) {
  const ResolvedProfile profile{policy, std::vector<std::string>(policy.rules.size(), "/rule"), {}};
  Expected<std::vector<LintFinding>> findings = LintPolicy(profile);
  EXPECT_TRUE(findings.has_value()) << findings.error().message;
  return findings ? *std::move(findings) : std::vector<LintFinding>{};
}

std::vector<LintFinding> WithRules(std::vector<SeccompRule> rules,
                                   Architecture arch = Architecture::kX86_64) {
  rules.push_back({{"execve", "exit", "exit_group", "rt_sigreturn"}, kAllow, {}, ""});
  return Findings({SeccompAction::Errno(EPERM), {arch}, std::move(rules), {}});
}

auto Says(LintSeverity severity, std::string_view id, const std::string& part = "") {
  return Contains(AllOf(Field(&LintFinding::severity, severity), Field(&LintFinding::id, id),
                        Field(&LintFinding::text, HasSubstr(part))));
}

auto Mentions(std::string_view id) {
  return Contains(Field(&LintFinding::id, id));
}

TEST(LintPolicy, FindsNoErrorInWhatIsGenerated) {
  testing::Recorded recorded;
  recorded.Calls({"execve", "read", "openat", "exit_group"}).Call("socket", {2, 1, 0});
  recorded.Call("ioctl", {0x5401}).Call("clone", {17});
  const auto generated = GenerateSeccomp(recorded.recording(), {});
  ASSERT_TRUE(generated.has_value());
  for (const LintFinding& finding : Findings(generated->policy)) {
    EXPECT_NE(finding.severity, LintSeverity::kError) << finding.text;
    EXPECT_EQ(finding.id, "unknown-to-libseccomp") << finding.text;
  }
}

TEST(LintPolicy, SaysWhichRuntimeAPolicyForOneOnlyDoesNotStart) {
  testing::Recorded recorded;
  recorded.Calls({"execve", "read", "exit_group"});
  const auto for_crun = GenerateSeccomp(recorded.recording(), {.runtime = ContainerRuntime::kCrun});
  ASSERT_TRUE(for_crun.has_value());
  EXPECT_THAT(Findings(for_crun->policy), Says(LintSeverity::kWarning, "base-set", "runc makes"));
  const auto for_any = GenerateSeccomp(recorded.recording(), {});
  ASSERT_TRUE(for_any.has_value());
  EXPECT_THAT(Findings(for_any->policy), Not(Mentions("base-set")));
}

TEST(LintPolicy, TellsARefusalThatCanBeGotRoundFromOneThatIsBrittle) {
  const auto on_family = [](Comparison comparison, std::uint64_t value, std::uint64_t mask) {
    return WithRules({{{"socket"}, kAllow, {{0, comparison, value, mask}}, ""}});
  };
  EXPECT_THAT(on_family(Comparison::kNotEqual, 40, 0),
              Says(LintSeverity::kError, "bypass-by-high-bits", "argument 0"));
  EXPECT_THAT(on_family(Comparison::kGreater, 40, 0), Mentions("bypass-by-high-bits"));
  EXPECT_THAT(on_family(Comparison::kEqual, 2, 0),
              Says(LintSeverity::kWarning, "reads-high-bits", "argument 0"));
  const auto masked = on_family(Comparison::kMaskedEqual, 2, 0xffffffff);
  EXPECT_THAT(masked, Not(Mentions("bypass-by-high-bits")));
  EXPECT_THAT(masked, Not(Mentions("reads-high-bits")));
}

TEST(LintPolicy, SaysWhereSocketFamiliesAreNotHeld) {
  const SeccompRule inet{{"socket"}, kAllow, {{0, Comparison::kMaskedEqual, 2, 0xffffffff}}, ""};
  const SeccompRule repeated{{"socketcall"}, SeccompAction::Errno(EPERM), {}, ""};
  const SeccompRule closed{{"socketcall"}, SeccompAction::Errno(EACCES), {}, ""};
  EXPECT_THAT(WithRules({inet}, Architecture::kX86),
              Says(LintSeverity::kWarning, "multiplexer-open", "socketcall"));
  EXPECT_THAT(WithRules({repeated, inet}, Architecture::kX86),
              Says(LintSeverity::kError, "multiplexer-open", "another errno"));
  EXPECT_THAT(WithRules({closed, inet}, Architecture::kX86), Not(Mentions("multiplexer-open")));
  EXPECT_THAT(WithRules({inet}), Not(Mentions("multiplexer-open")));
}

TEST(LintPolicy, SaysWhatBreaksPrograms) {
  EXPECT_THAT(WithRules({}), Says(LintSeverity::kWarning, "errno-not-enosys", "clone3"));
  EXPECT_THAT(WithRules({}), Says(LintSeverity::kWarning, "base-set", "runc"));
  EXPECT_THAT(Findings({SeccompAction::Errno(ENOSYS), {Architecture::kX86_64}, {}, {}}),
              AllOf(Says(LintSeverity::kError, "cannot-start-or-end", "execve"),
                    Says(LintSeverity::kNote, "default-errno-dropped", "clone3")));
  EXPECT_THAT(WithRules({{{"write"}, SeccompAction::Notify(), {}, ""}}),
              Says(LintSeverity::kError, "notify-refused-by-runc"));
  EXPECT_THAT(WithRules({{{"sync"}, SeccompAction::Errno(EPERM), {}, ""}}),
              Says(LintSeverity::kNote, "repeats-default"));
  EXPECT_THAT(WithRules({}), Not(Mentions("repeats-default")));
}

TEST(FindOpenCalls, OpensEachGroupByEachOfItsCallsAlone) {
  const auto groups = LoadDangerousGroups();
  ASSERT_TRUE(groups.has_value()) << groups.error().message;
  EXPECT_THAT(*groups, SizeIs(::testing::Gt(10U)));
  std::size_t opened = 0;
  for (const DangerousGroup& group : *groups) {
    EXPECT_FALSE(group.reason.empty());
    for (const DangerousCall& call : group.calls) {
      SeccompPolicy policy{SeccompAction::Errno(EPERM), {Architecture::kX86_64}, {}, {}};
      if (!SyscallNumber(Architecture::kX86_64, call.name) ||
          !call.architectures.contains(Architecture::kX86_64)) {
        continue;
      }
      policy.rules.push_back({{call.name}, kAllow, {}, ""});
      EXPECT_THAT(FindOpenCalls(policy, group).value_or(std::vector<SyscallInvocation>{}),
                  SizeIs(::testing::Ge(1U)))
          << call.name;
      ++opened;
      if (call.condition) {
        // Uses of the call with none of the dangerous bits are not dangerous.
        std::uint64_t dangerous = 0;
        for (const DangerousCall& other : group.calls) {
          dangerous |= other.name == call.name && other.condition ? other.condition->value : 0;
        }
        policy.rules.front().conditions = {
            {call.condition->index, Comparison::kMaskedEqual, 0, dangerous}};
        EXPECT_THAT(FindOpenCalls(policy, group).value_or(std::vector<SyscallInvocation>{}),
                    IsEmpty())
            << call.name;
      }
    }
  }
  EXPECT_GT(opened, 40U);
}

}  // namespace
}  // namespace cordon
