#include "tracer/ptrace_session.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "tests/tracer/scripted_kernel.h"
#include "tracer/trace_filter.h"

namespace cordon {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsSupersetOf;
using ::testing::Not;

constexpr pid_t kRoot = 10;

/// Takes down what it is told.
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

  void OnNewTask(pid_t parent, pid_t child, std::uint64_t clone_flags) override {
    lines.push_back(fmt::format("{} made {} {:#x}", parent, child, clone_flags));
  }

  void OnExec(pid_t former, pid_t task) override {
    lines.push_back(fmt::format("{} became {}", former, task));
  }

  void OnExiting(pid_t task) override { lines.push_back(fmt::format("{} exiting", task)); }

  void OnEnd(pid_t task, const Outcome& outcome) override {
    lines.push_back(fmt::format("{} {}", task, Describe(outcome)));
  }

  void OnLimitation(const std::string& kind, const std::string&) override {
    lines.push_back("limitation " + kind);
  }
};

class PtraceSessionTest : public ::testing::Test {
 protected:
  static CallStop Stop(CallStage stage, std::string_view name,
                       std::array<std::uint64_t, 6> arguments = {}) {
    const Architecture arch = Architecture::kX86_64;
    return {.stage = stage,
            .audit_arch = AuditArch(arch),
            .number = static_cast<std::uint64_t>(SyscallNumber(arch, name).value()),
            .arguments = arguments,
            .filter_data = kTraceFilterTag};
  }

  static CallStop Exit(std::int64_t result) {
    return {.stage = CallStage::kExit, .result = result, .is_error = result < 0};
  }

  /// Plays the whole script.
  PtraceSession& Play(TraceTier tier) {
    session_.emplace(kernel_, diary_, tier);
    EXPECT_TRUE(session_->Begin(kRoot).has_value());
    for (;;) {
      const Expected<PtraceSession::Step> step = session_->RunOnce();
      if (!step.has_value() || *step == PtraceSession::Step::kFinished) {
        finished_ = step.has_value();
        return *session_;
      }
    }
  }

  testing::ScriptedKernel kernel_;
  Diary diary_;
  std::optional<PtraceSession> session_;
  bool finished_ = false;
};

TEST_F(PtraceSessionTest, ExactTierStopsAtBothEnds) {
  kernel_.ReportCall(kRoot, Stop(CallStage::kEntry, "read"));
  kernel_.ReportCall(kRoot, Exit(-11));
  kernel_.Report(kRoot, WaitStatus::ForExit(3));
  Play(TraceTier::kExact);
  EXPECT_TRUE(finished_);
  EXPECT_THAT(diary_.lines, ElementsAre("10 enters read", "10 leaves -11", "10 exited 3"));
  EXPECT_THAT(kernel_.log,
              ElementsAre("resume 10 syscall", "resume 10 syscall", "resume 10 syscall"));
}

TEST_F(PtraceSessionTest, FilteredTierStopsAgainOnlyWhenAsked) {
  diary_.interest = ExitInterest::kNotWanted;
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "read"));
  kernel_.Report(kRoot, WaitStatus::ForExit(0));
  Play(TraceTier::kFiltered);
  EXPECT_THAT(kernel_.log, ElementsAre("resume 10 run", "resume 10 run"));
  EXPECT_THAT(diary_.lines, ElementsAre("10 enters read", "10 exited 0"));
}

TEST_F(PtraceSessionTest, FilteredTierGoesBackToRunningAfterTheExit) {
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "openat"));
  kernel_.ReportCall(kRoot, Exit(3));
  kernel_.Report(kRoot, WaitStatus::ForKill(SIGKILL));
  Play(TraceTier::kFiltered);
  EXPECT_THAT(kernel_.log, ElementsAre("resume 10 run", "resume 10 syscall", "resume 10 run"));
  EXPECT_THAT(diary_.lines, ElementsAre("10 enters openat", "10 leaves 3", "10 killed by SIGKILL"));
}

TEST_F(PtraceSessionTest, AChildMayReportBeforeItsParentTellsOfIt) {
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "clone", {0x10f00}));
  kernel_.Report(11, WaitStatus::ForStop(SIGTRAP, kEventStop));
  kernel_.ReportEvent(kRoot, kEventClone, 11);
  kernel_.Report(11, WaitStatus::ForExit(0));
  kernel_.Report(kRoot, WaitStatus::ForExit(0));
  Play(TraceTier::kFiltered);
  EXPECT_TRUE(finished_);
  EXPECT_THAT(diary_.lines,
              ElementsAre("10 enters clone", "10 made 11 0x10f00", "11 exited 0", "10 exited 0"));
  // The child is let go once its parent is known, not before.
  EXPECT_THAT(kernel_.log, ElementsAre("resume 10 run", "resume 10 syscall", "resume 11 run",
                                       "resume 10 syscall"));
}

TEST_F(PtraceSessionTest, TakesCloneUntracedOut) {
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "clone", {kCloneUntraced | SIGCHLD}));
  kernel_.Report(kRoot, WaitStatus::ForExit(0));
  Play(TraceTier::kFiltered);
  EXPECT_THAT(kernel_.log, Contains(fmt::format("argument 10 {:#x}", SIGCHLD)));
}

TEST_F(PtraceSessionTest, PutsTheFlagsOfCloneBackInBothTasks) {
  const std::string flags = fmt::format("{:#x}", kCloneUntraced | SIGCHLD);
  for (const bool child_first : {false, true}) {
    SCOPED_TRACE(child_first);
    kernel_.log.clear();
    kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "clone", {kCloneUntraced | SIGCHLD}));
    if (child_first) {
      kernel_.Report(11, WaitStatus::ForStop(SIGTRAP, kEventStop));
    }
    kernel_.ReportEvent(kRoot, kEventClone, 11);
    if (!child_first) {
      kernel_.Report(11, WaitStatus::ForStop(SIGTRAP, kEventStop));
    }
    kernel_.ReportCall(kRoot, Exit(11));
    kernel_.Report(11, WaitStatus::ForExit(0));
    kernel_.Report(kRoot, WaitStatus::ForExit(0));
    Play(TraceTier::kFiltered);
    EXPECT_THAT(kernel_.log, IsSupersetOf({fmt::format("restore 10 {}", flags),
                                           fmt::format("restore 11 {}", flags)}));
    EXPECT_EQ(std::ranges::count_if(
                  kernel_.log, [](const std::string& line) { return line.starts_with("restore"); }),
              2);
  }
}

TEST_F(PtraceSessionTest, PutsTheFlagsOfClone3Back) {
  kernel_.word = kCloneUntraced | kCloneFs;
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "clone3", {0x5000, 88}));
  kernel_.ReportCall(kRoot, Exit(11));
  kernel_.Report(kRoot, WaitStatus::ForExit(0));
  Play(TraceTier::kFiltered);
  EXPECT_THAT(kernel_.log, Contains(fmt::format("write {:#x}", kCloneFs)));
  EXPECT_EQ(kernel_.word, kCloneUntraced | kCloneFs);
}

TEST_F(PtraceSessionTest, AThreadThatExecutesBecomesTheLeader) {
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "clone", {kCloneThread}));
  kernel_.ReportEvent(kRoot, kEventClone, 11);
  kernel_.Report(11, WaitStatus::ForStop(SIGTRAP, kEventStop));
  kernel_.ReportCall(11, Stop(CallStage::kSeccomp, "execve"));
  kernel_.ReportEvent(kRoot, kEventExec, 11);
  kernel_.ReportCall(kRoot, Exit(0));
  kernel_.Report(kRoot, WaitStatus::ForExit(0));
  Play(TraceTier::kFiltered);
  EXPECT_TRUE(finished_);
  EXPECT_THAT(diary_.lines, ElementsAre("10 enters clone", "10 made 11 0x10000", "11 enters execve",
                                        "11 became 10", "10 leaves 0", "10 exited 0"));
}

TEST_F(PtraceSessionTest, AThreadThatIsKilledAsItBecomesTheLeaderEndsWithIt) {
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "clone", {kCloneThread}));
  kernel_.ReportEvent(kRoot, kEventClone, 11);
  kernel_.Report(11, WaitStatus::ForStop(SIGTRAP, kEventStop));
  kernel_.ReportCall(11, Stop(CallStage::kSeccomp, "execve"));
  // No PTRACE_EVENT_EXEC: SIGKILL came first, and the kernel knows of no 11 any more.
  kernel_.Report(kRoot, WaitStatus::ForKill(SIGKILL));
  Play(TraceTier::kFiltered);
  EXPECT_TRUE(finished_);
  EXPECT_THAT(diary_.lines, ElementsAre("10 enters clone", "10 made 11 0x10000", "11 enters execve",
                                        "10 killed by SIGKILL", "11 killed by SIGKILL"));
}

TEST_F(PtraceSessionTest, AChildMayEndBeforeItsParentTellsOfIt) {
  for (const bool stopped_first : {false, true}) {
    kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "fork"));
    if (stopped_first) {
      kernel_.Report(11, WaitStatus::ForStop(SIGTRAP, kEventStop));
    }
    kernel_.Report(11, WaitStatus::ForKill(SIGKILL));
    kernel_.ReportEvent(kRoot, kEventFork, 11);
    kernel_.Report(kRoot, WaitStatus::ForExit(0));
    Play(TraceTier::kFiltered);
    EXPECT_TRUE(finished_);
    EXPECT_THAT(diary_.lines, ElementsAre("10 enters fork", "10 made 11 0x0",
                                          "11 killed by SIGKILL", "10 exited 0"));
    diary_.lines.clear();
  }
}

TEST_F(PtraceSessionTest, AChildThatIsKilledWhileItIsHeldIsLetGo) {
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "clone", {kCloneThread}));
  kernel_.Report(11, WaitStatus::ForStop(SIGTRAP, kEventStop));
  // The whole process was killed: the leader's end is reported after that of its threads.
  kernel_.Report(11, WaitStatus::ForStop(SIGTRAP, kEventExit));
  kernel_.Report(11, WaitStatus::ForKill(SIGKILL));
  kernel_.Report(kRoot, WaitStatus::ForKill(SIGKILL));
  Play(TraceTier::kFiltered);
  EXPECT_TRUE(finished_);
  EXPECT_THAT(kernel_.log, Contains("resume 11 run"));
}

TEST_F(PtraceSessionTest, AnOrphanIsLetGoWhenNobodyCanTellOfItAnyMore) {
  const pid_t orphan = ::getpid();  // what it is is asked of /proc
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "fork"));
  kernel_.ReportEvent(kRoot, kEventFork, 11);
  kernel_.ReportCall(kRoot, Exit(11));
  kernel_.Report(11, WaitStatus::ForStop(SIGTRAP, kEventStop));
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "fork"));
  kernel_.Report(orphan, WaitStatus::ForStop(SIGTRAP, kEventStop));
  kernel_.Report(11, WaitStatus::ForStop(SIGCHLD));  // the fork is still under way
  kernel_.Report(kRoot, WaitStatus::ForKill(SIGKILL));
  kernel_.Report(orphan, WaitStatus::ForExit(0));
  kernel_.Report(11, WaitStatus::ForExit(0));
  Play(TraceTier::kFiltered);
  EXPECT_TRUE(finished_);
  EXPECT_THAT(kernel_.log, Contains(fmt::format("resume 11 run {}", SIGCHLD)));
  EXPECT_EQ(kernel_.log.back(), fmt::format("resume {} run", orphan));
}

TEST_F(PtraceSessionTest, ANumberMayBeGivenAgainToATaskThatLives) {
  kernel_.Report(11, WaitStatus::ForKill(SIGKILL));  // its parent was killed before it could tell
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "fork"));
  kernel_.ReportEvent(kRoot, kEventFork, 11);
  kernel_.Report(11, WaitStatus::ForStop(SIGTRAP, kEventStop));
  kernel_.Report(11, WaitStatus::ForExit(3));
  kernel_.Report(kRoot, WaitStatus::ForExit(0));
  Play(TraceTier::kFiltered);
  EXPECT_TRUE(finished_);
  EXPECT_THAT(diary_.lines,
              ElementsAre("10 enters fork", "10 made 11 0x0", "11 exited 3", "10 exited 0"));
}

TEST_F(PtraceSessionTest, PassesSignalsOn) {
  kernel_.Report(kRoot, WaitStatus::ForStop(SIGTRAP));
  kernel_.Report(kRoot, WaitStatus::ForStop(SIGCHLD));
  kernel_.Report(kRoot, WaitStatus::ForExit(0));
  Play(TraceTier::kFiltered);
  EXPECT_THAT(kernel_.log, ElementsAre("resume 10 run", fmt::format("resume 10 run {}", SIGTRAP),
                                       fmt::format("resume 10 run {}", SIGCHLD)));
}

TEST_F(PtraceSessionTest, LeavesAStoppedTaskStopped) {
  kernel_.Report(kRoot, WaitStatus::ForStop(SIGTSTP, kEventStop));
  kernel_.Report(kRoot, WaitStatus::ForStop(SIGTRAP, kEventStop));
  kernel_.Report(kRoot, WaitStatus::ForExit(0));
  Play(TraceTier::kFiltered);
  EXPECT_THAT(kernel_.log, ElementsAre("resume 10 run", "resume 10 listen", "resume 10 run"));
}

TEST_F(PtraceSessionTest, ATaskMayVanishAtAnyMoment) {
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "read"));
  kernel_.ReportEvent(kRoot, kEventFork, 11);
  kernel_.Report(kRoot, WaitStatus::ForSyscallStop());
  kernel_.Report(kRoot, WaitStatus::ForKill(SIGKILL));
  kernel_.Vanish(kRoot);
  session_.emplace(kernel_, diary_, TraceTier::kFiltered);
  EXPECT_FALSE(session_->Begin(kRoot).has_value());
  while (session_->RunOnce().value_or(PtraceSession::Step::kFinished) !=
         PtraceSession::Step::kFinished) {
  }
  EXPECT_THAT(diary_.lines, ElementsAre("10 killed by SIGKILL"));
}

TEST_F(PtraceSessionTest, AFilterOfItsOwnMovesATaskToTheExactTier) {
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "seccomp", {SECCOMP_SET_MODE_FILTER, 0}));
  kernel_.ReportCall(kRoot, Exit(0));
  kernel_.ReportCall(kRoot, Stop(CallStage::kEntry, "getpid"));
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "getpid"));
  kernel_.ReportCall(kRoot, Exit(10));
  kernel_.Report(kRoot, WaitStatus::ForExit(0));
  const PtraceSession& session = Play(TraceTier::kFiltered);
  EXPECT_EQ(session.counts().exact_tasks, 1U);
  // The entry stop came first, so our own filter's stop is not a second call.
  EXPECT_THAT(diary_.lines, ElementsAre("10 enters seccomp", "10 leaves 0", "10 enters getpid",
                                        "10 leaves 10", "10 exited 0"));
}

TEST_F(PtraceSessionTest, AStopForAnotherFiltersSakeIsNoSystemCall) {
  CallStop other = Stop(CallStage::kSeccomp, "getpid");
  other.filter_data = 7;
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "seccomp", {SECCOMP_SET_MODE_FILTER, 0}));
  kernel_.ReportCall(kRoot, Exit(0));
  kernel_.ReportCall(kRoot, Stop(CallStage::kEntry, "getpid"));
  kernel_.ReportCall(kRoot, other);
  kernel_.ReportCall(kRoot, Exit(-38));
  kernel_.Report(kRoot, WaitStatus::ForExit(0));
  Play(TraceTier::kFiltered);
  EXPECT_THAT(kernel_.log, Contains("skip 10 38"));
  EXPECT_THAT(diary_.lines, Contains("10 leaves -38"));
}

TEST_F(PtraceSessionTest, WithholdsIoUring) {
  for (const IoUring io_uring : {IoUring::kAllowed, IoUring::kWithheld}) {
    kernel_.log.clear();
    kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "io_uring_setup"));
    PtraceSession session(kernel_, diary_, TraceTier::kFiltered, io_uring);
    ASSERT_TRUE(session.Begin(kRoot).has_value());
    ASSERT_TRUE(session.RunOnce().has_value());
    EXPECT_EQ(std::ranges::count(kernel_.log, "skip 10 38"),
              io_uring == IoUring::kWithheld ? 1 : 0);
  }
}

TEST_F(PtraceSessionTest, AFilterForAllThreadsMovesAllThreads) {
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "clone", {kCloneThread}));
  kernel_.ReportEvent(kRoot, kEventClone, 11);
  kernel_.ReportCall(kRoot, Exit(11));
  kernel_.Report(11, WaitStatus::ForStop(SIGTRAP, kEventStop));
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "seccomp",
                                 {SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC}));
  kernel_.ReportCall(kRoot, Exit(0));
  kernel_.Report(11, WaitStatus::ForStop(SIGTRAP, kEventStop));
  kernel_.Report(11, WaitStatus::ForExit(0));
  kernel_.Report(kRoot, WaitStatus::ForExit(0));
  Play(TraceTier::kFiltered);
  EXPECT_THAT(kernel_.log, Contains("interrupt 11"));
  EXPECT_EQ(kernel_.log.back(), "resume 11 syscall");
}

TEST_F(PtraceSessionTest, AFilterThatWasRefusedChangesNothing) {
  kernel_.ReportCall(kRoot, Stop(CallStage::kSeccomp, "seccomp", {SECCOMP_SET_MODE_FILTER, 0}));
  kernel_.ReportCall(kRoot, Exit(-13));
  kernel_.Report(kRoot, WaitStatus::ForExit(0));
  EXPECT_EQ(Play(TraceTier::kFiltered).counts().exact_tasks, 0U);
}

/// Attaches to tasks 10 and 11, plays `before` reports, lets go, and plays the rest.
class AttachedSessionTest : public PtraceSessionTest {
 protected:
  void Begin() {
    session_.emplace(kernel_, diary_, TraceTier::kExact);
    session_->BeginAttached(
        {{.id = 10, .process = 10, .parent = 1}, {.id = 11, .process = 10, .parent = 1}});
  }

  void Step(int steps) {
    for (int i = 0; i < steps; ++i) {
      ASSERT_TRUE(session_->RunOnce().has_value());
    }
  }

  void ToTheEnd() {
    for (;;) {
      const Expected<PtraceSession::Step> step = session_->RunOnce();
      ASSERT_TRUE(step.has_value()) << "the session waits for a task that is gone";
      if (*step == PtraceSession::Step::kFinished) {
        return;
      }
    }
  }
};

TEST_F(AttachedSessionTest, StopsEachTaskOnceAndFollowsItsCalls) {
  kernel_.Report(11, WaitStatus::ForStop(SIGTRAP, kEventStop));
  kernel_.Report(10, WaitStatus::ForStop(SIGSTOP, kEventStop));
  kernel_.ReportCall(11, Stop(CallStage::kEntry, "read"));
  Begin();
  Step(3);
  EXPECT_THAT(kernel_.log, ElementsAre("interrupt 10", "interrupt 11", "resume 11 syscall",
                                       "resume 10 listen", "resume 11 syscall"));
  EXPECT_THAT(diary_.lines, ElementsAre("11 enters read"));
}

TEST_F(AttachedSessionTest, LetsGoWithTheSignalThatWasOnItsWay) {
  Begin();
  session_->Release();
  kernel_.log.clear();
  kernel_.Report(10, WaitStatus::ForStop(SIGUSR1));
  kernel_.Report(11, WaitStatus::ForStop(SIGSTOP, kEventStop));
  ToTheEnd();
  EXPECT_THAT(kernel_.log, ElementsAre(fmt::format("detach 10 {}", SIGUSR1), "detach 11"));
}

TEST_F(AttachedSessionTest, LetsGoOfAChildThatIsBornMeanwhile) {
  Begin();
  session_->Release();
  kernel_.log.clear();
  kernel_.ReportEvent(10, kEventFork, 12);
  kernel_.Report(13, WaitStatus::ForStop(SIGTRAP, kEventStop));  // before its parent tells of it
  kernel_.Report(12, WaitStatus::ForStop(SIGTRAP, kEventStop));
  kernel_.ReportEvent(11, kEventFork, 13);
  ToTheEnd();
  EXPECT_THAT(kernel_.log, ElementsAre("detach 10", "detach 13", "detach 12", "detach 11"));
}

TEST_F(AttachedSessionTest, LetsGoOfAChildThatIsHeld) {
  kernel_.Report(12, WaitStatus::ForStop(SIGTRAP, kEventStop));
  Begin();
  Step(1);
  session_->Release();
  kernel_.log.clear();
  kernel_.ReportEvent(10, kEventClone, 12);
  kernel_.Report(11, WaitStatus::ForExit(0));
  ToTheEnd();
  EXPECT_THAT(kernel_.log, ElementsAre("detach 10"));
  EXPECT_THAT(diary_.lines, ElementsAre("11 exited 0"));
}

TEST_F(AttachedSessionTest, TellsOfACallThatEndsWhileItLetsGo) {
  kernel_.ReportCall(10, Stop(CallStage::kEntry, "openat"));
  Begin();
  Step(1);
  session_->Release();
  kernel_.ReportCall(10, Exit(3));
  kernel_.Report(11, WaitStatus::ForKill(SIGKILL));
  ToTheEnd();
  EXPECT_THAT(diary_.lines, ElementsAre("10 enters openat", "10 leaves 3", "11 killed by SIGKILL"));
}

TEST_F(AttachedSessionTest, ATaskMayDieWhileItIsLetGoOf) {
  Begin();
  session_->Release();
  kernel_.Vanish(10);
  kernel_.Report(10, WaitStatus::ForStop(SIGTRAP, kEventStop));
  kernel_.Report(11, WaitStatus::ForStop(SIGTRAP, kEventExit));
  kernel_.Report(10, WaitStatus::ForKill(SIGKILL));  // a leader's end is the last of its process
  ToTheEnd();
  EXPECT_THAT(diary_.lines, ElementsAre("10 killed by SIGKILL"));
}

TEST_F(PtraceSessionTest, SaysWhenASignalCame) {
  kernel_.ReportInterrupt();
  PtraceSession session(kernel_, diary_, TraceTier::kExact);
  ASSERT_TRUE(session.Begin(kRoot).has_value());
  EXPECT_EQ(session.RunOnce().value(), PtraceSession::Step::kInterrupted);
}

TEST_F(PtraceSessionTest, FailsWhenTheKernelLosesItsTasks) {
  Play(TraceTier::kExact);
  EXPECT_FALSE(finished_);
}

TEST_F(PtraceSessionTest, StrangersAreLeftAlone) {
  kernel_.Report(99, WaitStatus::ForExit(0));  // a child that cordon's own caller left behind
  kernel_.Report(kRoot, WaitStatus::ForExit(0));
  Play(TraceTier::kExact);
  EXPECT_THAT(diary_.lines, ElementsAre("10 exited 0"));
  EXPECT_THAT(kernel_.log, Not(Contains(::testing::HasSubstr("99"))));
}

TEST_F(PtraceSessionTest, TellsAbisApart) {
  CallStop narrow = Stop(CallStage::kSeccomp, "getpid");
  narrow.audit_arch = AuditArch(Architecture::kX86);
  narrow.number = 64;
  CallStop x32 = Stop(CallStage::kSeccomp, "getppid");
  x32.number |= kX32SyscallBit;
  CallStop none = Stop(CallStage::kSeccomp, "getpid");
  none.number = ~std::uint64_t{0};
  for (const CallStop& stop : {narrow, x32, none}) {
    kernel_.ReportCall(kRoot, stop);
  }
  kernel_.Report(kRoot, WaitStatus::ForExit(0));
  diary_.interest = ExitInterest::kNotWanted;
  Play(TraceTier::kFiltered);
  EXPECT_THAT(diary_.lines, ElementsAre("10 enters getppid", "10 enters getppid",
                                        "10 enters syscall_-1", "10 exited 0"));
}

}  // namespace
}  // namespace cordon
