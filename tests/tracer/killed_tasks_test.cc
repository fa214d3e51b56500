#include <fmt/format.h>
#include <gtest/gtest.h>

#include <csignal>
#include <set>

#include "tests/tracer/simulated_kernel.h"

namespace cordon {
namespace {

using testing::KilledStop;
using testing::ReportOrder;
using testing::SimulatedKernel;
using testing::SimulatedStep;

constexpr pid_t kRoot = 10;

/// Holds the session to its promises: whoever is told of is told of once, acts only while it is
/// there, and ends once.
class Ledger final : public CallObserver {
 public:
  std::set<pid_t> alive{kRoot};
  std::vector<std::string> broken;
  int told = 1;

  ExitInterest OnEntry(pid_t task, const SyscallInvocation&) override {
    Require(alive.contains(task), "entry of a task that is not there", task);
    inside_.insert(task);
    return ExitInterest::kWanted;
  }

  void OnExit(pid_t task, CallResult) override {
    Require(inside_.erase(task) != 0, "exit without entry", task);
  }

  void OnNewTask(pid_t, pid_t child, std::uint64_t) override {
    Require(alive.insert(child).second, "made twice", child);
    ++told;
  }

  void OnExec(pid_t former, pid_t task) override {
    alive.erase(former);
    if (inside_.erase(former) != 0) {
      inside_.insert(task);
    }
    alive.insert(task);
  }

  void OnExiting(pid_t task) override {
    Require(alive.contains(task), "exits but is not there", task);
  }

  void OnEnd(pid_t task, const Outcome&) override {
    Require(alive.erase(task) != 0, "ended twice, or never made", task);
    inside_.erase(task);
  }

  void OnLimitation(const std::string&, const std::string&) override {}

 private:
  void Require(bool holds, std::string_view what, pid_t task) {
    if (!holds) {
      broken.push_back(fmt::format("{}: {}", task, what));
    }
  }

  std::set<pid_t> inside_;
};

SimulatedStep Call(std::string name, std::uint64_t argument = 0) {
  return {.call = std::move(name), .argument = argument};
}

SimulatedStep Makes(std::string name, pid_t task, std::uint64_t argument = 0) {
  return {.call = std::move(name), .argument = argument, .makes = task};
}

SimulatedStep Exits() {
  return {.kind = SimulatedStep::Kind::kExit};
}

enum class Execution : std::uint8_t { kNone, kByAThread };

/// Threads, forks of the leader and of a thread, CLONE_UNTRACED, a signal.
void DescribeProgram(SimulatedKernel& kernel, Execution execution) {
  kernel.Describe(kRoot, kRoot,
                  {Call("getpid"),
                   Makes("clone", 11, kCloneThread),
                   Makes("fork", 12),
                   {.kind = SimulatedStep::Kind::kSignal, .signal = SIGCHLD},
                   Makes("clone3", 13, 0x5000),
                   Call("read"),
                   Exits()});
  std::vector<SimulatedStep> thread{Call("read"), Makes("fork", 14)};
  if (execution == Execution::kByAThread) {
    thread.push_back({.call = "execve", .executes = true});
    thread.push_back(Call("getppid"));
  }
  thread.push_back(Exits());
  kernel.Describe(11, kRoot, thread);
  kernel.Describe(12, 12, {Call("getpid"), Makes("vfork", 15), Call("wait4"), Exits()});
  kernel.Describe(13, 13, {Makes("clone", 16, kCloneUntraced | SIGCHLD), Exits()});
  kernel.Describe(14, 14, {Call("access"), Exits()});
  kernel.Describe(15, 15, {Call("access"), Exits()});
  kernel.Describe(16, 16, {Call("access"), Exits()});
  kernel.Start(kRoot);
}

struct Circumstances {
  TraceTier tier;
  ReportOrder order;
  KilledStop killed_stop;
  Execution execution;
};

void PrintTo(const Circumstances& circumstances, std::ostream* out) {
  *out << Name(circumstances.tier);
}

class KilledTasks : public ::testing::TestWithParam<Circumstances> {
 protected:
  /// Runs the program with a kill at the given call of the tracer; how many calls there were.
  int Play(int kill_at) {
    const auto [tier, order, killed_stop, execution] = GetParam();
    SimulatedKernel kernel(tier, order, killed_stop);
    DescribeProgram(kernel, execution);
    kernel.KillAtCall(kill_at);
    Ledger ledger;
    PtraceSession session(kernel, ledger, tier);
    (void)session.Begin(kRoot);
    bool finished = false;
    for (int steps = 0; steps < 1000 && !finished; ++steps) {
      const Expected<PtraceSession::Step> step = session.RunOnce();
      if (!step.has_value()) {
        ADD_FAILURE() << "killed at call " << kill_at << ": " << step.error().message;
        break;
      }
      finished = *step == PtraceSession::Step::kFinished;
    }
    EXPECT_TRUE(finished) << "killed at call " << kill_at;
    EXPECT_EQ(kernel.Left(), std::vector<pid_t>()) << "killed at call " << kill_at;
    EXPECT_EQ(ledger.broken, std::vector<std::string>()) << "killed at call " << kill_at;
    EXPECT_EQ(ledger.alive, std::set<pid_t>()) << "killed at call " << kill_at;
    told_ = ledger.told;
    return kernel.calls();
  }

  int told_ = 0;
};

TEST_P(KilledTasks, EndWellWhicheverCallTheyVanishAt) {
  const int calls = Play(0);
  ASSERT_GT(calls, 20);
  // Where the thread is always heard first, it executes before the leader makes anybody else.
  const bool early =
      GetParam().execution == Execution::kByAThread && GetParam().order == ReportOrder::kHighestId;
  EXPECT_EQ(told_, early ? 3 : 7) << "without a kill every task is told of";
  for (int kill_at = 1; kill_at <= calls; ++kill_at) {
    Play(kill_at);
  }
}

std::vector<Circumstances> AllCircumstances() {
  std::vector<Circumstances> all;
  for (const TraceTier tier : {TraceTier::kExact, TraceTier::kFiltered}) {
    for (const ReportOrder order : {ReportOrder::kLowestId, ReportOrder::kHighestId}) {
      for (const KilledStop stop : {KilledStop::kExitEvent, KilledStop::kNone}) {
        for (const Execution execution : {Execution::kNone, Execution::kByAThread}) {
          all.push_back({tier, order, stop, execution});
        }
      }
    }
  }
  return all;
}

std::string NameOf(const ::testing::TestParamInfo<Circumstances>& info) {
  const auto& [tier, order, stop, execution] = info.param;
  return fmt::format("{}_{}_{}_{}", Name(tier),
                     order == ReportOrder::kLowestId ? "parents_first" : "children_first",
                     stop == KilledStop::kExitEvent ? "with_exit_stop" : "without",
                     execution == Execution::kNone ? "forks" : "thread_executes");
}

INSTANTIATE_TEST_SUITE_P(EveryRace, KilledTasks, ::testing::ValuesIn(AllCircumstances()), NameOf);

}  // namespace
}  // namespace cordon
