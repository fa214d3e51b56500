#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tracer/kernel.h"

namespace cordon::testing {

/// A kernel that reports what a test wrote down and takes down what it is asked, so that races
/// happen the same way every time.
class ScriptedKernel final : public TraceKernel {
 public:
  /// The next report of Wait().
  void Report(pid_t task, WaitStatus status) {
    script_.push_back({.kind = WaitResult::Kind::kReport, .task = task, .status = status});
  }

  void ReportInterrupt() { script_.push_back({.kind = WaitResult::Kind::kInterrupted}); }

  /// A call stop together with what ReadCall() will say of it.
  void ReportCall(pid_t task, CallStop stop) {
    Report(task, stop.stage == CallStage::kSeccomp ? WaitStatus::ForStop(kSigtrap, 7)
                                                   : WaitStatus::ForSyscallStop());
    calls_[task].push_back(stop);
  }

  /// The same for who looks at that stop twice.
  void ReportCallTwice(pid_t task, CallStop stop) {
    ReportCall(task, stop);
    calls_[task].push_back(stop);
  }

  /// An event stop with its message.
  void ReportEvent(pid_t task, int event, std::uint64_t message) {
    Report(task, WaitStatus::ForStop(kSigtrap, event));
    messages_[task].push_back(message);
  }

  /// From now on every call on `task` fails with ESRCH.
  void Vanish(pid_t task) { gone_.push_back(task); }

  std::uint64_t word = 0;  ///< the one word of every task's memory

  std::map<pid_t, cpu_set_t> processors;  ///< none: they cannot be read
  int current_processor = -1;

  /// "resume 10 run", "resume 10 syscall 5", "interrupt 11", "argument 10 3", "write 3",
  /// "processors 10 0,1"
  std::vector<std::string> log;

  WaitResult Wait() override;
  WaitResult WaitFor(pid_t task) override;
  Status Seize(pid_t task, FilterEvents events, Lifetime lifetime) override;
  Status Resume(pid_t task, ResumeMode mode, int signal) override;
  Status Detach(pid_t task, int signal) override;
  Status Interrupt(pid_t task) override;
  Expected<std::uint64_t> EventMessage(pid_t task) override;
  Expected<CallStop> ReadCall(pid_t task) override;
  Status SetFirstArgument(pid_t task, std::uint32_t audit_arch, std::uint64_t value) override;
  Status RestoreFirstArgument(pid_t task, std::uint32_t audit_arch, std::uint64_t value) override;
  Status SkipCall(pid_t task, std::uint32_t audit_arch, int sys_errno) override;
  Expected<std::uint64_t> ReadWord(pid_t task, std::uint64_t address) override;
  Status WriteWord(pid_t task, std::uint64_t address, std::uint64_t value) override;
  Expected<cpu_set_t> ReadProcessors(pid_t task) override;
  Status SetProcessors(pid_t task, const cpu_set_t& chosen) override;

  int CurrentProcessor() override { return current_processor; }

  static constexpr int kSigtrap = 5;

 private:
  Status Take(pid_t task, std::string entry);

  std::deque<WaitResult> script_;
  std::map<pid_t, std::deque<CallStop>> calls_;
  std::map<pid_t, std::deque<std::uint64_t>> messages_;
  std::vector<pid_t> gone_;
};

}  // namespace cordon::testing
