#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>

#include <cerrno>
#include <csignal>
#include <cstddef>

#include "tests/tracer/scripted_kernel.h"
#include "tracer/held_profile.h"
#include "tracer/ptrace_session.h"
#include "tracer/trace_filter.h"

namespace cordon {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

constexpr pid_t kRoot = 10;
constexpr Architecture kArch = Architecture::kX86_64;

std::uint32_t NumberOf(std::string_view name) {
  return static_cast<std::uint32_t>(SyscallNumber(kArch, name).value());
}

/// Refuses unshare(2) with `word`, and allows everything else.
std::vector<sock_filter> Profile(std::uint32_t word) {
  return {
      {.code = BPF_LD | BPF_W | BPF_ABS, .jt = 0, .jf = 0, .k = offsetof(seccomp_data, nr)},
      {.code = BPF_JMP | BPF_JEQ | BPF_K, .jt = 0, .jf = 1, .k = NumberOf("unshare")},
      {.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = word},
      {.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = SECCOMP_RET_ALLOW},
  };
}

SyscallInvocation Call(std::string_view name, std::array<std::uint64_t, 6> arguments = {}) {
  return {{kArch, static_cast<std::int32_t>(NumberOf(name))}, arguments};
}

TEST(HeldProfileTest, AsksTheTracerWhereTheProfileRefuses) {
  const auto held = HeldProfile::Of(Profile(SECCOMP_RET_ERRNO | EPERM));
  ASSERT_TRUE(held.has_value());
  const auto answer = [&](std::string_view name) {
    return InterpretBpf(held->program(), Call(name)).value();
  };
  EXPECT_EQ(answer("unshare"), SECCOMP_RET_TRACE | kTraceFilterTag);
  EXPECT_EQ(answer("getpid"), static_cast<std::uint32_t>(SECCOMP_RET_ALLOW));
  EXPECT_EQ(held->RefusalOf(Call("unshare")), EPERM);
  EXPECT_EQ(held->RefusalOf(Call("getpid")), 0);
}

TEST(HeldProfileTest, LeavesToTheKernelWhatIsNoErrno) {
  const auto killing = HeldProfile::Of(Profile(SECCOMP_RET_KILL_PROCESS));
  ASSERT_TRUE(killing.has_value());
  EXPECT_EQ(InterpretBpf(killing->program(), Call("unshare")).value(), SECCOMP_RET_KILL_PROCESS);
  for (const std::uint32_t word :
       {SECCOMP_RET_TRAP, SECCOMP_RET_LOG, SECCOMP_RET_USER_NOTIF, SECCOMP_RET_TRACE}) {
    EXPECT_FALSE(HeldProfile::Of(Profile(word)).has_value()) << word;
  }
  // A call that is not made and yet succeeds.
  EXPECT_FALSE(HeldProfile::Of(Profile(SECCOMP_RET_ERRNO)).has_value());
}

TEST(HeldProfileTest, RefusesListenersWhichWouldOutrankIt) {
  const auto held = HeldProfile::Of(Profile(SECCOMP_RET_ERRNO | EPERM));
  ASSERT_TRUE(held.has_value());
  EXPECT_EQ(held->RefusalOf(Call("seccomp", {SECCOMP_SET_MODE_FILTER, 0})), 0);
  EXPECT_EQ(
      held->RefusalOf(Call("seccomp", {SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER})),
      EBUSY);
}

class Diary final : public CallObserver {
 public:
  ExitInterest interest = ExitInterest::kWanted;
  std::vector<std::string> lines;

  ExitInterest OnEntry(pid_t task, const SyscallInvocation& invocation) override {
    lines.push_back(fmt::format("{} enters {}", task, SyscallLabel(invocation.call)));
    return interest;
  }

  void OnExit(pid_t task, CallResult result) override {
    lines.push_back(
        fmt::format("{} leaves {}", task, result.ok() ? result.value : -result.sys_errno));
  }

  void OnBegin(pid_t task) override { lines.push_back(fmt::format("{} begins", task)); }

  void OnNewTask(pid_t, pid_t, std::uint64_t) override {}

  void OnExec(pid_t, pid_t task) override { lines.push_back(fmt::format("{} executes", task)); }

  void OnExiting(pid_t) override {}

  void OnEnd(pid_t task, const Outcome&) override { lines.push_back(fmt::format("{} ends", task)); }

  void OnLimitation(const std::string& kind, const std::string&) override {
    lines.push_back("limitation " + kind);
  }
};

class ContainerSessionTest : public ::testing::Test {
 protected:
  static CallStop Stop(CallStage stage, std::string_view name,
                       std::array<std::uint64_t, 6> arguments = {}) {
    return {.stage = stage,
            .audit_arch = AuditArch(kArch),
            .number = NumberOf(name),
            .arguments = arguments,
            .filter_data = kTraceFilterTag};
  }

  static CallStop Exit(std::int64_t result) {
    return {.stage = CallStage::kExit, .result = result, .is_error = result < 0};
  }

  void Play(TraceTier tier, bool holds_profile = false) {
    PtraceSession session(kernel_, diary_, tier);
    if (holds_profile) {
      session.Hold(HeldProfile::Of(Profile(SECCOMP_RET_ERRNO | EPERM)).value());
    }
    session.BeginAtExec(kRoot);
    for (Expected<PtraceSession::Step> step = session.RunOnce();
         step.has_value() && *step != PtraceSession::Step::kFinished; step = session.RunOnce()) {
    }
  }

  void ReportStart() {
    kernel_.ReportCallTwice(kRoot, Stop(CallStage::kSeccomp, "execve"));
    kernel_.ReportEvent(kRoot, kEventExec, kRoot);
    kernel_.ReportCall(kRoot, Exit(0));
  }

  testing::ScriptedKernel kernel_;
  Diary diary_;
};

TEST_F(ContainerSessionTest, BeginsWithTheFirstExecve) {
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "seccomp", {SECCOMP_SET_MODE_FILTER, 0}));
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "capset"));
  ReportStart();
  kernel_.Report(kRoot, WaitStatus::ForExit(0));
  Play(TraceTier::kFiltered);
  EXPECT_THAT(diary_.lines, ElementsAre("10 begins", "10 enters execve", "10 executes",
                                        "10 leaves 0", "10 ends"));
  EXPECT_THAT(kernel_.log, Not(Contains("interrupt 10")));
}

TEST_F(ContainerSessionTest, TheExactTierStopsItFirst) {
  kernel_.Report(kRoot, WaitStatus::ForStop(SIGTRAP, kEventStop));
  kernel_.ReportCall(kRoot, Stop(CallStage::kEntry, "seccomp"));
  kernel_.ReportCall(kRoot, Exit(0));
  kernel_.ReportCallTwice(kRoot, Stop(CallStage::kEntry, "execve"));
  kernel_.Report(kRoot, WaitStatus::ForExit(0));
  Play(TraceTier::kExact);
  EXPECT_THAT(diary_.lines, ElementsAre("10 begins", "10 enters execve", "10 ends"));
  EXPECT_EQ(kernel_.log.front(), "interrupt 10");
  EXPECT_THAT(kernel_.log, Not(Contains("resume 10 run")));
}

TEST_F(ContainerSessionTest, OneThatNeverExecutesIsForgotten) {
  kernel_.Report(kRoot, WaitStatus::ForKill(SIGKILL));
  Play(TraceTier::kFiltered);
  EXPECT_TRUE(diary_.lines.empty());
}

TEST_F(ContainerSessionTest, WhatTheProfileRefusesGetsItsErrno) {
  ReportStart();
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "unshare"));
  kernel_.ReportCall(kRoot, Exit(-EPERM));
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "getpid"));
  kernel_.ReportCall(kRoot, Exit(10));
  kernel_.Report(kRoot, WaitStatus::ForExit(0));
  Play(TraceTier::kFiltered, true);
  EXPECT_EQ(std::ranges::count(kernel_.log, fmt::format("skip 10 {}", EPERM)), 1);
  EXPECT_THAT(diary_.lines, Contains("10 leaves -1"));
}

TEST_F(ContainerSessionTest, WithoutAProfileNothingIsRefused) {
  ReportStart();
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "unshare"));
  kernel_.ReportCall(kRoot, Exit(0));
  kernel_.Report(kRoot, WaitStatus::ForExit(0));
  Play(TraceTier::kFiltered);
  EXPECT_THAT(kernel_.log, Not(Contains(fmt::format("skip 10 {}", EPERM))));
}

/// A filter of the workload's own that answers as the trace filter does must not hide a refusal.
TEST_F(ContainerSessionTest, AFilterOfTheWorkloadDoesNotLiftTheProfile) {
  ReportStart();
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "seccomp", {SECCOMP_SET_MODE_FILTER, 0}));
  kernel_.ReportCall(kRoot, Exit(0));
  for (const std::uint16_t data : {kTraceFilterTag, std::uint16_t{7}}) {
    CallStop stop = Stop(CallStage::kSeccomp, "unshare");
    stop.filter_data = data;
    kernel_.ReportCall(kRoot, Stop(CallStage::kEntry, "unshare"));
    kernel_.ReportCall(kRoot, stop);
    kernel_.ReportCall(kRoot, Exit(-EPERM));
  }
  kernel_.Report(kRoot, WaitStatus::ForExit(0));
  Play(TraceTier::kFiltered, true);
  EXPECT_EQ(std::ranges::count(kernel_.log, fmt::format("skip 10 {}", EPERM)), 2);
}

TEST_F(ContainerSessionTest, ACallOfAnUnknownAbiIsRefused) {
  ReportStart();
  CallStop stop = Stop(CallStage::kSeccomp, "getpid");
  stop.audit_arch = AUDIT_ARCH_PPC;
  kernel_.ReportCall(kRoot, stop);
  kernel_.Report(kRoot, WaitStatus::ForExit(0));
  Play(TraceTier::kFiltered, true);
  EXPECT_THAT(kernel_.log, Contains(fmt::format("skip 10 {}", ENOSYS)));
}

}  // namespace
}  // namespace cordon
