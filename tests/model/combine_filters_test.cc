#include "model/combine_filters.h"

#include <gtest/gtest.h>
#include <linux/seccomp.h>

#include <cerrno>

#include "model/bpf_interpreter.h"
#include "model/seccomp_compiler.h"
#include "model/seccomp_policy.h"

namespace cordon {
namespace {

std::vector<sock_filter> Compiled(SeccompAction default_action, std::vector<SeccompRule> rules) {
  const Expected<std::vector<sock_filter>> program =
      CompileSeccomp({default_action, {NativeArchitecture()}, std::move(rules), {}});
  EXPECT_TRUE(program.has_value()) << program.error().message;
  return program.value_or(std::vector<sock_filter>{});
}

SeccompAction Answer(const std::vector<sock_filter>& program, const char* name,
                     std::uint64_t argument = 0) {
  const SyscallInvocation call{
      {NativeArchitecture(), SyscallNumber(NativeArchitecture(), name).value_or(-1)}, {argument}};
  const Expected<std::uint32_t> word = InterpretBpf(program, call);
  EXPECT_TRUE(word.has_value());
  return ActionOfWord(word.value_or(0));
}

const SeccompAction kEngineRefuses = SeccompAction::Errno(EPERM);

std::vector<sock_filter> Engine() {
  return Compiled(kEngineRefuses,
                  {{{"read", "write", "close"}, SeccompAction::Allow(), {}, ""},
                   {{"socket"},
                    SeccompAction::Allow(),
                    {{.index = 0, .comparison = Comparison::kEqual, .value = 2, .mask = 0}},
                    ""},
                   {{"mount"}, {SeccompActionKind::kKillProcess, 0}, {}, ""}});
}

std::vector<sock_filter> Policy() {
  return Compiled(SeccompAction::Notify(),
                  {{{"read", "socket", "mount", "getpid"}, SeccompAction::Allow(), {}, ""}});
}

TEST(CombineFilters, LetsThroughWhatBothLetThrough) {
  const Expected<std::vector<sock_filter>> both = CombineFilters(Engine(), Policy());
  ASSERT_TRUE(both.has_value()) << both.error().message;
  EXPECT_EQ(Answer(*both, "read"), SeccompAction::Allow());
  EXPECT_EQ(Answer(*both, "socket", 2), SeccompAction::Allow());
  // The first refuses, as it says.
  EXPECT_EQ(Answer(*both, "socket", 10), kEngineRefuses);
  EXPECT_EQ(Answer(*both, "getpid"), kEngineRefuses);
  EXPECT_EQ(Answer(*both, "mount").kind, SeccompActionKind::kKillProcess);
  // Only the second does.
  EXPECT_EQ(Answer(*both, "write"), SeccompAction::Notify());
  EXPECT_EQ(Answer(*both, "close"), SeccompAction::Notify());
}

TEST(CombineFilters, TheFirstMustRefuseByItself) {
  // What it hands to another, or only logs, the second might have refused.
  EXPECT_FALSE(RefusesByItself(Policy()));
  EXPECT_FALSE(CombineFilters(Policy(), Engine()).has_value());
  const std::vector<sock_filter> logs = Compiled({SeccompActionKind::kLog, 0}, {});
  EXPECT_FALSE(RefusesByItself(logs));
  EXPECT_TRUE(RefusesByItself(Engine()));
  EXPECT_TRUE(RefusesByItself({}));
  const std::vector<sock_filter> returns_accumulator{{BPF_LD | BPF_W | BPF_ABS, 0, 0, 0},
                                                     {BPF_RET | BPF_A, 0, 0, 0}};
  EXPECT_FALSE(RefusesByItself(returns_accumulator));
}

TEST(CombineFilters, IsBoundedAsTheKernelIs) {
  const sock_filter nothing{BPF_LD | BPF_W | BPF_ABS, 0, 0, 0};
  std::vector<sock_filter> half(BPF_MAXINSNS / 2, nothing);
  half.back() = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
  EXPECT_TRUE(CombineFilters(half, half).has_value());
  std::vector<sock_filter> more = half;
  more.insert(more.begin(), nothing);
  const Expected<std::vector<sock_filter>> both = CombineFilters(half, more);
  ASSERT_FALSE(both.has_value());
  EXPECT_EQ(both.error().code, ErrorCode::kLimit);
}

}  // namespace
}  // namespace cordon
