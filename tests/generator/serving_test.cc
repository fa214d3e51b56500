#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "generator/bundle.h"
#include "generator/seccomp_proof.h"
#include "generator/serving_slice.h"
#include "model/bpf_interpreter.h"
#include "model/compiled_filter.h"
#include "model/policy_bundle.h"
#include "model/seccomp_compiler.h"
#include "tests/testing/recorded.h"

namespace cordon {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using testing::Recorded;

/// Sockets of two kinds in the start, of one while it serves.
Recorded Server() {
  Recorded recorded("/usr/sbin/server");
  recorded.Calls({"execve", "read", "mount", "setuid", "listen"})
      .Call("socket", {AF_INET, SOCK_STREAM, 0})
      .Call("socket", {AF_UNIX, SOCK_DGRAM, 0});
  recorded.Serves();
  recorded.Calls({"read", "accept4"}).Call("socket", {AF_UNIX, SOCK_DGRAM, 0});
  return recorded;
}

Expected<GeneratedBundle> Generate(const Recording& recording,
                                   OnViolation on_violation = OnViolation::kErrno) {
  return GenerateBundle(
      recording, {.name = "server",
                  .seccomp = {.runtime = ContainerRuntime::kCordon, .on_violation = on_violation},
                  .selinux_target = "refpolicy-debian12"});
}

SyscallInvocation Call(std::string_view name, std::uint64_t first = 0, std::uint64_t second = 0) {
  return {{Architecture::kX86_64, *SyscallNumber(Architecture::kX86_64, name)}, {first, second}};
}

TEST(SliceServing, IsWhatWasSeenAfterTheBoundary) {
  const ServingSlice slice = SliceServing(Server().recording());
  ASSERT_TRUE(slice.calls);
  std::set<std::string> names;
  for (const auto& [call, observation] : slice.calls->syscalls) {
    names.insert(std::string(SyscallName(call).value_or("?")));
  }
  EXPECT_THAT(names, ::testing::ElementsAre("accept4", "read", "socket"));
  EXPECT_EQ(slice.calls->syscalls.at(Call("socket").call).tuples.size(), 1U);
}

TEST(SliceServing, NeedsTheBoundaryOfEveryRunThatHasCalls) {
  Recorded plain("/usr/bin/other");
  plain.Calls({"execve", "read"});
  EXPECT_FALSE(SliceServing(plain.recording()).calls);
  EXPECT_EQ(SliceServing(plain.recording()).why_not, "");
  Recording mixed = plain.recording();
  mixed.Merge(Server().recording());
  EXPECT_FALSE(SliceServing(mixed).calls);
  EXPECT_THAT(SliceServing(mixed).why_not, HasSubstr("/usr/bin/other"));
  for (auto& [id, run] : mixed.runs) {
    if (run.serving_when.empty()) {
      run.tier = "denials";
    }
  }
  EXPECT_TRUE(SliceServing(mixed).calls);
}

TEST(SliceServing, KeepsWhatAFilterCannotWithhold) {
  Recorded recorded;
  recorded.Call("socketcall", {}, 0, Architecture::kX86).Calls({"execve"});
  recorded.Serves();
  recorded.Calls({"read"});
  const ServingSlice slice = SliceServing(recorded.recording());
  ASSERT_TRUE(slice.calls);
  EXPECT_EQ(slice.calls->syscalls.size(), 2U);
}

TEST(GenerateBundle, WithholdsWhatOnlyTheStartNeeded) {
  const Expected<GeneratedBundle> bundle = Generate(Server().recording());
  ASSERT_TRUE(bundle.has_value()) << bundle.error().message;
  const Expected<PolicyBundle> parsed = ParsePolicyBundle(bundle->files, "server.policy");
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  ASSERT_TRUE(parsed->serving);
  EXPECT_EQ(parsed->serving->when, std::set<std::string>{"listen"});
  const Expected<SeccompPolicy> whole = ReadSeccompOf(*parsed);
  const Expected<SeccompPolicy> serving = ReadSeccompOf(*parsed->serving);
  ASSERT_TRUE(whole.has_value() && serving.has_value());
  for (const char* name : {"execve", "mount", "setuid", "listen"}) {
    EXPECT_EQ(Evaluate(*whole, Call(name)), SeccompAction::Allow()) << name;
    EXPECT_EQ(Evaluate(*serving, Call(name)), SeccompAction::Errno(EPERM)) << name;
  }
  for (const char* name : {"read", "accept4", "exit_group", "clock_gettime", "rt_sigreturn"}) {
    EXPECT_EQ(Evaluate(*serving, Call(name)), SeccompAction::Allow()) << name;
  }
  EXPECT_TRUE(Admits(Evaluate(*serving, Call("socket", AF_UNIX, SOCK_DGRAM))));
  EXPECT_FALSE(Admits(Evaluate(*serving, Call("socket", AF_INET, SOCK_STREAM))));
  EXPECT_TRUE(Admits(Evaluate(*whole, Call("socket", AF_INET, SOCK_STREAM))));
  EXPECT_THAT(bundle->proof.serving->withheld, Contains("execve"));
  EXPECT_THAT(bundle->proof.serving->withheld, Contains("socket (some arguments)"));
  EXPECT_EQ(bundle->proof.serving->recorded, 3U);
}

TEST(GenerateBundle, LetsThreadsOfTheStartMeetWhileItServes) {
  constexpr std::uint64_t kThread = 0x003d0f00;  // what pthread_create() asks for
  for (const bool threads : {false, true}) {
    Recorded recorded("/usr/sbin/server");
    recorded.Calls({"execve", "listen"});
    if (threads) {
      recorded.Call("clone3", {kThread});
    }
    recorded.Serves();
    recorded.Calls({"read"});
    const Expected<GeneratedBundle> bundle = Generate(recorded.recording());
    ASSERT_TRUE(bundle.has_value()) << bundle.error().message;
    const Expected<PolicyBundle> parsed = ParsePolicyBundle(bundle->files, "server.policy");
    ASSERT_TRUE(parsed.has_value() && parsed->serving);
    const Expected<SeccompPolicy> serving = ReadSeccompOf(*parsed->serving);
    ASSERT_TRUE(serving.has_value()) << serving.error().message;
    EXPECT_EQ(Admits(Evaluate(*serving, Call("futex"))), threads);
    EXPECT_FALSE(Admits(Evaluate(*serving, Call("clone3"))));
  }
}

TEST(GenerateBundle, CompilesBothPhasesIntoOneFilterThatAsksOnlyAboutWhatIsWithheld) {
  const Expected<GeneratedBundle> bundle = Generate(Server().recording());
  ASSERT_TRUE(bundle.has_value()) << bundle.error().message;
  const Expected<CompiledFilter> filter =
      ReadCompiledFilter(bundle->files.at("seccomp-serve.bpf"), "seccomp-serve.bpf");
  ASSERT_TRUE(filter.has_value()) << filter.error().message;
  EXPECT_EQ(WhyStale(*filter, bundle->files.at("seccomp-serve.json")), "");
  const Expected<BpfInterpreter> interpreter = BpfInterpreter::Create(filter->program);
  ASSERT_TRUE(interpreter.has_value());
  const auto answer = [&](const SyscallInvocation& call) {
    return ActionOfWord(interpreter->Run(call)).kind;
  };
  for (const char* name : {"execve", "mount", "setuid", "listen", "ptrace"}) {
    EXPECT_EQ(answer(Call(name)), SeccompActionKind::kNotify) << name;
  }
  EXPECT_EQ(answer(Call("socket", AF_INET, SOCK_STREAM)), SeccompActionKind::kNotify);
  EXPECT_EQ(answer(Call("socket", AF_UNIX, SOCK_DGRAM)), SeccompActionKind::kAllow);
  EXPECT_EQ(answer(Call("read")), SeccompActionKind::kAllow);
}

TEST(GenerateBundle, AsksAboutEveryListenAlsoWhereServingHasIt) {
  Recorded recorded = Server();
  recorded.Calls({"listen"});
  const Expected<GeneratedBundle> bundle = Generate(recorded.recording());
  ASSERT_TRUE(bundle.has_value()) << bundle.error().message;
  const Expected<CompiledFilter> filter =
      ReadCompiledFilter(bundle->files.at("seccomp-serve.bpf"), "seccomp-serve.bpf");
  const Expected<BpfInterpreter> interpreter = BpfInterpreter::Create(filter->program);
  EXPECT_EQ(ActionOfWord(interpreter->Run(Call("listen"))).kind, SeccompActionKind::kNotify);
}

TEST(GenerateBundle, HasOnePhaseWhereTwoCannotBe) {
  Recorded plain("/usr/bin/other");
  plain.Calls({"execve", "read"});
  Expected<GeneratedBundle> bundle = Generate(plain.recording());
  ASSERT_TRUE(bundle.has_value());
  EXPECT_FALSE(bundle->files.contains("seccomp-serve.json"));
  EXPECT_EQ(bundle->one_phase_because, "");
  bundle = Generate(Server().recording(), OnViolation::kKill);
  ASSERT_TRUE(bundle.has_value()) << bundle.error().message;
  EXPECT_FALSE(bundle->files.contains("seccomp-serve.json"));
  EXPECT_THAT(bundle->one_phase_because, HasSubstr("--on-violation errno"));
}

TEST(ProveServing, RefusesAPolicyThatIsWiderThanTheWhole) {
  const Recording recording = Server().recording();
  const Expected<GeneratedSeccomp> whole = GenerateSeccomp(recording, {});
  ASSERT_TRUE(whole.has_value());
  SeccompPolicy wider = whole->policy;
  for (SeccompRule& rule : wider.rules) {
    std::erase(rule.names, "ptrace");
  }
  wider.rules.push_back({{"ptrace"}, SeccompAction::Allow(), {}, ""});
  const Expected<ServingProof> proof =
      ProveServing(recording, *SliceServing(recording).calls, whole->policy, wider);
  ASSERT_FALSE(proof.has_value());
  EXPECT_THAT(proof.error().message, HasSubstr("ptrace"));
}

TEST(ProveServing, RefusesAPolicyUnderWhichAServingCallWouldNotHold) {
  const Recording recording = Server().recording();
  SeccompOptions options;
  const Expected<GeneratedSeccomp> whole = GenerateSeccomp(recording, options);
  Recorded less("/usr/sbin/server");
  less.Calls({"read"});
  options.part = WorkloadPart::kServing;
  const Expected<GeneratedSeccomp> serving = GenerateSeccomp(less.recording(), options);
  ASSERT_TRUE(whole.has_value() && serving.has_value());
  const Expected<ServingProof> proof =
      ProveServing(recording, *SliceServing(recording).calls, whole->policy, serving->policy);
  ASSERT_FALSE(proof.has_value());
  EXPECT_THAT(proof.error().message, HasSubstr("after the boundary"));
}

}  // namespace
}  // namespace cordon
