#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tracer/kernel.h"
#include "tracer/ptrace_session.h"

namespace cordon::testing {

/// What a simulated task does next.
struct SimulatedStep {
  enum class Kind : std::uint8_t {
    kCall,
    kSignal,
    kExit,
  };

  Kind kind = Kind::kCall;
  std::string call = {};  ///< kCall: its name
  std::uint64_t argument = 0;
  pid_t makes = 0;        ///< kCall: the task that it makes
  bool executes = false;  ///< kCall: a successful execve(2)
  int signal = 0;         ///< kSignal
};

/// Which of several tasks that have something to report is heard first.
enum class ReportOrder : std::uint8_t { kLowestId, kHighestId };

/// Does a task that is killed stop once more, in PTRACE_EVENT_EXIT? Either happens.
enum class KilledStop : std::uint8_t { kExitEvent, kNone };

/// A kernel in which tasks go on only when they are resumed, and where, at a chosen call of the
/// tracer, the process that the call is about is killed: as by a SIGKILL that came just before. A
/// task that nobody resumes shows as a hang. Rules kept: a new task may be heard of before its
/// parent's event; a leader's end is reported after those of its threads; a thread that executes
/// takes over the leader's id, and its former id is never heard of again.
class SimulatedKernel final : public TraceKernel {
 public:
  SimulatedKernel(TraceTier tier, ReportOrder order, KilledStop killed_stop)
      : tier_(tier), order_(order), killed_stop_(killed_stop) {}

  /// A task of `process` with what it does; it ends after that. Tasks that a step makes are not
  /// there before.
  void Describe(pid_t task, pid_t process, std::vector<SimulatedStep> steps);
  /// The first task is there, stopped.
  void Start(pid_t root);

  /// The process is killed at this call of the tracer, counted from 1; 0: never.
  void KillAtCall(int number) { kill_at_ = number; }

  int calls() const { return calls_; }

  /// The tasks that are there: at the end of a session those that it left behind.
  std::vector<pid_t> Left() const;

  WaitResult Wait() override;
  WaitResult WaitFor(pid_t task) override;
  Status Seize(pid_t task, FilterEvents events, Lifetime lifetime) override;
  Status Resume(pid_t id, ResumeMode mode, int signal) override;
  Status Detach(pid_t task, int signal) override;
  Status Interrupt(pid_t task) override;
  Expected<std::uint64_t> EventMessage(pid_t task) override;
  Expected<CallStop> ReadCall(pid_t task) override;
  Status SetFirstArgument(pid_t task, std::uint32_t audit_arch, std::uint64_t value) override;
  Status RestoreFirstArgument(pid_t task, std::uint32_t audit_arch, std::uint64_t value) override;
  Status SkipCall(pid_t task, std::uint32_t audit_arch, int sys_errno) override;
  Expected<std::uint64_t> ReadWord(pid_t task, std::uint64_t address) override;
  Status WriteWord(pid_t task, std::uint64_t address, std::uint64_t value) override;
  Expected<ProcessStatus> ReadStatus(pid_t id) override;

  bool TracesAnything() override { return !Left().empty(); }

 private:
  /// A stop or an end that is to be reported.
  struct Report {
    WaitStatus status = WaitStatus::ForExit(0);
    CallStop call = {};
    std::uint64_t message = 0;
    const SimulatedStep* entered = nullptr;  ///< what happens when the task is resumed
    bool only_if_asked = false;              ///< the exit of a call: in ResumeMode::kSyscall
  };

  struct Task {
    pid_t process = 0;
    pid_t parent = 0;
    std::vector<SimulatedStep> steps;
    std::deque<Report> reports;
    Report current;  ///< that the task is stopped in
    bool there = false;
    bool stopped = false;
    bool killed = false;
  };

  void Kill(pid_t process);
  Status Enter(pid_t id);
  void Queue(Task& task);
  void Execute(pid_t id);
  bool CanReport(pid_t id, const Task& task) const;
  bool HasOtherThreads(pid_t id, const Task& task) const;

  TraceTier tier_;
  ReportOrder order_;
  KilledStop killed_stop_;
  std::map<pid_t, Task> tasks_;
  int calls_ = 0;
  int kill_at_ = 0;
};

}  // namespace cordon::testing
