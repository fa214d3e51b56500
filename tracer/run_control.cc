#include "tracer/run_control.h"

#include <csignal>

namespace cordon {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kGracePeriod{5};

}  // namespace

void RunControl::Start(std::optional<std::chrono::milliseconds> timeout) {
  if (timeout) {
    inbox_.SetDeadline(Clock::now() + *timeout);
  }
}

Signals RunControl::HandleSignals() {
  const Signals signals = inbox_.Take();
  if (early_end_ == EarlyEnd::kLeavesWorkload) {
    const bool asked = signals.interrupts > 0 || signals.terminate || signals.hang_up;
    if (stage_ == Stage::kRunning && (asked || signals.deadline)) {
      ended_early_ = true;
      End();
    } else if (stage_ == Stage::kReleasing && (asked || signals.deadline)) {
      stage_ = Stage::kGaveUp;
    }
    return signals;
  }
  if (signals.terminate) {
    PassOn(SIGTERM);
  }
  if (signals.hang_up) {
    PassOn(SIGHUP);
  }
  if (signals.boundary && !keep_user_signal_) {
    PassOn(SIGUSR1);
  }
  const int before = interrupts_;
  interrupts_ += signals.interrupts;
  const bool again = interrupts_ >= 2 && interrupts_ != before;
  if (stage_ == Stage::kRunning && (again || signals.deadline)) {
    ended_early_ = true;
    End();
  } else if (stage_ == Stage::kTerminating && (again || signals.deadline)) {
    stage_ = Stage::kKilling;
  }
  KeepKilling();
  return signals;
}

void RunControl::End() {
  inbox_.SetDeadline(Clock::now() + kGracePeriod);
  if (early_end_ == EarlyEnd::kLeavesWorkload) {
    stage_ = Stage::kReleasing;
    session_.Release();
    return;
  }
  stage_ = Stage::kTerminating;
  SignalAll(SIGTERM);
  SignalAll(SIGCONT);  // a stopped task gets no other signal but SIGKILL
}

void RunControl::KeepKilling() const {
  if (stage_ == Stage::kKilling) {
    SignalAll(SIGKILL);
  }
}

void RunControl::PassOn(int signal) const {
  if (session_.Follows(root_)) {
    (void)::kill(root_, signal);
  } else {
    SignalAll(signal);
  }
}

void RunControl::SignalAll(int signal) const {
  for (const pid_t process : processes_()) {
    (void)::kill(process, signal);
  }
}

}  // namespace cordon
