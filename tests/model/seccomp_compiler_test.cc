#include "model/seccomp_compiler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "model/bpf_interpreter.h"
#include "tests/model/random_policies.h"

namespace cordon {
namespace {

constexpr SeccompAction kAllow = SeccompAction::Allow();
constexpr SeccompAction kEperm = SeccompAction::Errno(EPERM);
constexpr SeccompAction kEnosys = SeccompAction::Errno(ENOSYS);

constexpr std::uint64_t kInt = 0xffffffff;

ArgumentCondition MaskedEqual(unsigned index, std::uint64_t mask, std::uint64_t value) {
  return {index, Comparison::kMaskedEqual, value, mask};
}

SyscallInvocation Call(Architecture arch, std::string_view name,
                       std::array<std::uint64_t, 6> arguments = {}) {
  return {{arch, SyscallNumber(arch, name).value_or(-1)}, arguments};
}

SeccompAction Interpret(const std::vector<sock_filter>& program, const SyscallInvocation& call) {
  const Expected<std::uint32_t> word = InterpretBpf(program, call);
  EXPECT_TRUE(word.has_value()) << word.error().message;
  return word ? ActionOfWord(*word) : SeccompAction{SeccompActionKind::kTrap, 0};
}

std::vector<sock_filter> Compile(const SeccompPolicy& policy) {
  Expected<std::vector<sock_filter>> program = CompileSeccomp(policy);
  EXPECT_TRUE(program.has_value()) << program.error().message;
  return program ? *std::move(program) : std::vector<sock_filter>{};
}

TEST(CompileSeccomp, RandomPoliciesMeanInBpfWhatEvaluateSays) {
  std::size_t compiled = 0;
  std::size_t refused = 0;
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    RandomPolicies random(seed);
    const SeccompPolicy policy = random.Policy();
    const Expected<std::vector<sock_filter>> program = CompileSeccomp(policy);
    if (!program) {
      // What libseccomp builds wrongly from overlapping rules is refused, never returned.
      EXPECT_EQ(program.error().code, ErrorCode::kUnsupported)
          << "seed " << seed << ": " << program.error().message;
      ++refused;
      continue;
    }
    ++compiled;
    const Expected<BpfInterpreter> interpreter = BpfInterpreter::Create(*program);
    ASSERT_TRUE(interpreter.has_value()) << interpreter.error().message;
    for (int i = 0; i < 300; ++i) {
      const SyscallInvocation call = random.Invocation(policy);
      ASSERT_EQ(ActionOfWord(interpreter->Run(call)), Evaluate(policy, call))
          << "seed " << seed << ", call " << SyscallLabel(call.call) << " on "
          << Name(call.call.arch);
    }
  }
  EXPECT_GT(compiled, 4 * refused);
}

TEST(CompileSeccomp, ConditionalRulesLeaveTheRestToTheirComplement) {
  SeccompPolicy policy{kEnosys, {Architecture::kX86_64}, {}, {}};
  policy.rules.push_back({{"read"}, kAllow, {}, ""});
  policy.rules.push_back({{"socket"}, kAllow, {MaskedEqual(0, kInt, 2)}, ""});
  policy.rules.push_back({{"socket"}, kEperm, {MaskedEqual(0, kInt, 38)}, ""});
  const std::vector<sock_filter> program = Compile(policy);
  EXPECT_EQ(Interpret(program, Call(Architecture::kX86_64, "read")), kAllow);
  EXPECT_EQ(Interpret(program, Call(Architecture::kX86_64, "socket", {2})), kAllow);
  EXPECT_EQ(Interpret(program, Call(Architecture::kX86_64, "socket", {2 | (1ULL << 40)})), kAllow);
  EXPECT_EQ(Interpret(program, Call(Architecture::kX86_64, "socket", {38})), kEperm);
  EXPECT_EQ(Interpret(program, Call(Architecture::kX86_64, "socket", {16})), kEnosys);
  EXPECT_EQ(Interpret(program, Call(Architecture::kX86_64, "write")), kEnosys);
}

TEST(CompileSeccomp, ForeignArchitecturesGetTheDefaultAction) {
  SeccompPolicy policy{kEnosys, {Architecture::kX86_64}, {{{"read"}, kAllow, {}, ""}}, {}};
  const std::vector<sock_filter> program = Compile(policy);
  EXPECT_EQ(Interpret(program, Call(Architecture::kX86, "read")), kEnosys);
  EXPECT_EQ(Interpret(program, Call(Architecture::kX32, "read")), kEnosys);
}

TEST(CompileSeccomp, RulesACallThatLibseccompCannotNameByItsNumber) {
  if (LibseccompKnows("listns")) {
    GTEST_SKIP() << "SKIPPED: this libseccomp has a name for every call of the table";
  }
  const SeccompPolicy policy{kEnosys, {Architecture::kX86_64}, {{{"listns"}, kAllow, {}, ""}}, {}};
  const std::vector<sock_filter> program = Compile(policy);
  EXPECT_EQ(Interpret(program, Call(Architecture::kX86_64, "listns")), kAllow);
  EXPECT_EQ(Interpret(program, Call(Architecture::kX86_64, "read")), kEnosys);

  const SeccompPolicy foreign{
      kEnosys, {Architecture::kX86_64, Architecture::kX86}, {{{"listns"}, kAllow, {}, ""}}, {}};
  const Expected<std::vector<sock_filter>> refused = CompileSeccomp(foreign);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(refused.error().message.find("listns"), std::string::npos) << refused.error().message;
}

TEST(CompileSeccomp, SocketOpensSocketcallUnlessSocketcallHasARule) {
  SeccompPolicy policy{
      kEnosys, {Architecture::kX86}, {{{"socket"}, kAllow, {MaskedEqual(0, kInt, 2)}, ""}}, {}};
  EXPECT_EQ(Interpret(Compile(policy), Call(Architecture::kX86, "socketcall", {1})), kAllow);
  EXPECT_EQ(Interpret(Compile(policy), Call(Architecture::kX86, "socketcall", {2})), kEnosys);

  policy.rules.insert(policy.rules.begin(), {{"socketcall"}, kEperm, {}, ""});
  EXPECT_EQ(Interpret(Compile(policy), Call(Architecture::kX86, "socketcall", {1})), kEperm);
  EXPECT_EQ(Interpret(Compile(policy), Call(Architecture::kX86, "socket", {2})), kAllow);

  // A refusal with the default errno is skipped as redundant by every runtime, and the way is open
  // again.
  policy.rules.front().action = kEnosys;
  EXPECT_EQ(Interpret(Compile(policy), Call(Architecture::kX86, "socketcall", {1})), kAllow);
}

TEST(NotifyingVariant, RefusesTheSameCalls) {
  const SeccompPolicy policy{kEnosys,
                             {Architecture::kX86_64, Architecture::kX86},
                             {{{"socketcall", "mount"}, SeccompAction::Errno(EACCES), {}, ""},
                              {{"socket"}, kAllow, {MaskedEqual(0, kInt, 2)}, ""},
                              {{"socket"}, kEperm, {MaskedEqual(0, kInt, 38)}, ""}},
                             {}};
  const SeccompPolicy variant = NotifyingVariant(policy);
  const std::vector<sock_filter> program = Compile(variant);
  EXPECT_EQ(Interpret(program, Call(Architecture::kX86_64, "socket", {2})), kAllow);
  EXPECT_EQ(Interpret(program, Call(Architecture::kX86_64, "socket", {38})),
            SeccompAction::Notify());
  EXPECT_EQ(Interpret(program, Call(Architecture::kX86_64, "mount")), SeccompAction::Notify());
  EXPECT_EQ(Interpret(program, Call(Architecture::kX86_64, "read")), SeccompAction::Notify());
  EXPECT_EQ(Interpret(program, Call(Architecture::kX86, "socketcall", {1})),
            SeccompAction::Errno(EACCES));
}

TEST(AuditedVariant, AsksAboutAllThatIsNotAllowed) {
  const SeccompPolicy policy{{SeccompActionKind::kKillProcess, 0},
                             {Architecture::kX86_64, Architecture::kX86},
                             {{{"read"}, kAllow, {}, ""},
                              {{"socketcall", "mount"}, {SeccompActionKind::kTrap, 0}, {}, ""},
                              {{"ptrace"}, {SeccompActionKind::kLog, 0}, {}, ""},
                              {{"bpf"}, {SeccompActionKind::kTrace, 1}, {}, ""},
                              {{"setns"}, {SeccompActionKind::kKillThread, 0}, {}, ""},
                              {{"unshare"}, kEnosys, {}, ""}},
                             {}};
  const std::vector<sock_filter> program = Compile(AuditedVariant(policy));
  EXPECT_EQ(Interpret(program, Call(Architecture::kX86_64, "read")), kAllow);
  for (const char* name : {"mount", "ptrace", "bpf", "setns", "unshare", "write"}) {
    EXPECT_EQ(Interpret(program, Call(Architecture::kX86_64, name)), SeccompAction::Notify())
        << name;
  }
  EXPECT_EQ(Interpret(program, Call(Architecture::kX86, "socketcall", {1})), kEperm);
}

TEST(CompileAsRunc, AnswersEnosysAboveTheLargestNamedNumber) {
  const SeccompPolicy policy{
      kEperm, {Architecture::kX86_64}, {{{"read", "faccessat2"}, kAllow, {}, ""}}, {}};
  const Expected<std::vector<sock_filter>> program = CompileAsRunc(policy);
  ASSERT_TRUE(program.has_value()) << program.error().message;
  EXPECT_EQ(Interpret(*program, Call(Architecture::kX86_64, "read")), kAllow);
  EXPECT_EQ(Interpret(*program, Call(Architecture::kX86_64, "faccessat2")), kAllow);
  EXPECT_EQ(Interpret(*program, Call(Architecture::kX86_64, "clone3")), kEperm);
  EXPECT_EQ(Interpret(*program, Call(Architecture::kX86_64, "futex_waitv")), kEnosys);
  EXPECT_EQ(Interpret(*program, Call(Architecture::kX86, "read")),
            (SeccompAction{SeccompActionKind::kKillThread, 0}));
  EXPECT_EQ(Interpret(*program, Call(Architecture::kX32, "read")),
            (SeccompAction{SeccompActionKind::kKillThread, 0}));
}

TEST(CompileAsRunc, CountsTheAbisOfOneKernelSeparately) {
  const SeccompPolicy policy{kEperm,
                             {Architecture::kX86_64, Architecture::kX86, Architecture::kX32},
                             {{{"write", "waitpid"}, kAllow, {}, ""}},
                             {}};
  const Expected<std::vector<sock_filter>> program = CompileAsRunc(policy);
  ASSERT_TRUE(program.has_value()) << program.error().message;
  EXPECT_EQ(Interpret(*program, {{Architecture::kX86_64, 0}, {}}), kEperm);
  EXPECT_EQ(Interpret(*program, {{Architecture::kX86_64, 2}, {}}), kEnosys);
  EXPECT_EQ(Interpret(*program, {{Architecture::kX32, 0}, {}}), kEperm);
  EXPECT_EQ(Interpret(*program, {{Architecture::kX32, 2}, {}}), kEnosys);
  EXPECT_EQ(Interpret(*program, {{Architecture::kX86, 6}, {}}), kEperm);
  EXPECT_EQ(Interpret(*program, {{Architecture::kX86, 8}, {}}), kEnosys);
}

TEST(AsDocker2010Reads, DropsTheDefaultErrno) {
  const SeccompPolicy policy{kEnosys, {Architecture::kX86_64}, {}, {}};
  EXPECT_EQ(AsDocker2010Reads(policy).default_action, kEperm);
}

TEST(ActionOfWord, InvertsWordOfAction) {
  for (const SeccompActionKind kind :
       {SeccompActionKind::kAllow, SeccompActionKind::kLog, SeccompActionKind::kTrace,
        SeccompActionKind::kNotify, SeccompActionKind::kErrno, SeccompActionKind::kTrap,
        SeccompActionKind::kKillThread, SeccompActionKind::kKillProcess}) {
    const SeccompAction action{kind, 0};
    EXPECT_EQ(ActionOfWord(WordOfAction(action)), action);
  }
  EXPECT_EQ(ActionOfWord(WordOfAction(SeccompAction::Errno(38))), kEnosys);
}

}  // namespace
}  // namespace cordon
