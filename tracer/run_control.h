#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <set>

#include "tracer/ptrace_session.h"
#include "tracer/signal_inbox.h"

namespace cordon {

/// What ending a run early does to the workload.
enum class EarlyEnd : std::uint8_t {
  kEndsWorkload,    ///< SIGTERM to all that is alive, SIGKILL after 5 s
  kLeavesWorkload,  ///< it is let go of and goes on
};

/// Watches over one run: signals to cordon, the deadline, and the ending.
class RunControl {
 public:
  /// Gives the thread groups that are alive.
  using Processes = std::function<std::set<pid_t>()>;

  /// `inbox` and `session` must outlive it; `root` is the workload's first process.
  RunControl(SignalInbox& inbox, PtraceSession& session, Processes processes, pid_t root,
             EarlyEnd early_end)
      : inbox_(inbox),
        session_(session),
        processes_(std::move(processes)),
        root_(root),
        early_end_(early_end) {}

  void Start(std::optional<std::chrono::milliseconds> timeout);

  /// SIGUSR1 is for cordon: it is not passed on.
  void KeepUserSignal() { keep_user_signal_ = true; }

  /// Call when a signal came. Returns what came.
  Signals HandleSignals();

  /// Ends what is alive, or lets go of it.
  void End();

  /// Call after every step: a task that was born while the others were killed must go too.
  void KeepKilling() const;

  /// The run was ended before the workload ended.
  bool ended_early() const { return ended_early_; }

  bool running() const { return stage_ == Stage::kRunning; }

  /// Tasks that were to be let go of did not stop in time; the kernel lets go of them when cordon
  /// ends.
  bool gave_up() const { return stage_ == Stage::kGaveUp; }

 private:
  enum class Stage : std::uint8_t { kRunning, kTerminating, kKilling, kReleasing, kGaveUp };

  void PassOn(int signal) const;
  void SignalAll(int signal) const;

  SignalInbox& inbox_;
  PtraceSession& session_;
  Processes processes_;
  pid_t root_;
  EarlyEnd early_end_;
  Stage stage_ = Stage::kRunning;
  int interrupts_ = 0;
  bool ended_early_ = false;
  bool keep_user_signal_ = false;
};

}  // namespace cordon
