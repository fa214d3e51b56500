#include "tracer/recorder.h"

#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <set>

#include "observe/process_status.h"
#include "tracer/call_recorder.h"
#include "tracer/kernel.h"
#include "tracer/launch.h"
#include "tracer/signal_inbox.h"

namespace cordon {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kGracePeriod{5};

std::string RandomRunId() {
  std::array<unsigned char, 16> bytes{};
  (void)::getrandom(bytes.data(), bytes.size(),
                    0);  // does not fail for so few bytes (getrandom(2))
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

HostFacts ReadHostFacts() {
  HostFacts facts;
  utsname names{};
  if (::uname(&names) == 0) {
    facts.kernel = names.release;
  }
  facts.architecture = Name(NativeArchitecture());
  facts.libc = fmt::format("glibc {}", ::gnu_get_libc_version());
  facts.effective_uid = ::geteuid();
  if (const Expected<ProcessStatus> status = ReadProcessStatus(::getpid()); status.has_value()) {
    facts.effective_capabilities = status->credentials.effective_capabilities;
    facts.tracer_filtered = status->seccomp_mode != 0;
  }
  return facts;
}

/// The tier to try: under a filter of the outside world, ours would not see what that one refuses.
TraceTier ChooseTier(const RecordOptions& options, const HostFacts& host) {
  const TraceTier wanted = options.tier.value_or(TraceTier::kFiltered);
  return host.tracer_filtered ? TraceTier::kExact : wanted;
}

/// Watches over one run: signals to cordon, deadlines, and the ending.
class RunControl {
 public:
  RunControl(SignalInbox& inbox, const PtraceSession& session, const CallRecorder& recorder,
             pid_t root)
      : inbox_(inbox), session_(session), recorder_(recorder), root_(root) {}

  void Start(std::optional<std::chrono::milliseconds> timeout) {
    if (timeout) {
      inbox_.SetDeadline(Clock::now() + *timeout);
    }
  }

  void HandleSignals() {
    const Signals signals = inbox_.Take();
    if (signals.terminate) {
      PassOn(SIGTERM);
    }
    if (signals.hang_up) {
      PassOn(SIGHUP);
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
    if (stage_ == Stage::kKilling) {
      SignalAll(SIGKILL);
    }
  }

  /// Ends what is alive: SIGTERM now, SIGKILL when the grace period is over.
  void End() {
    stage_ = Stage::kTerminating;
    SignalAll(SIGTERM);
    SignalAll(SIGCONT);  // a stopped task gets no other signal but SIGKILL
    inbox_.SetDeadline(Clock::now() + kGracePeriod);
  }

  /// Call after every step: a task that was born while the others were killed must go too.
  void KeepKilling() {
    if (stage_ == Stage::kKilling) {
      SignalAll(SIGKILL);
    }
  }

  bool ended_early() const { return ended_early_; }

  bool running() const { return stage_ == Stage::kRunning; }

 private:
  enum class Stage : std::uint8_t { kRunning, kTerminating, kKilling };

  void PassOn(int signal) const {
    if (session_.Follows(root_)) {
      (void)::kill(root_, signal);
    } else {
      SignalAll(signal);
    }
  }

  void SignalAll(int signal) const {
    for (const pid_t process : recorder_.Processes()) {
      (void)::kill(process, signal);
    }
  }

  SignalInbox& inbox_;
  const PtraceSession& session_;
  const CallRecorder& recorder_;
  pid_t root_;
  Stage stage_ = Stage::kRunning;
  int interrupts_ = 0;
  bool ended_early_ = false;
};

/// Notes how the first process ended.
class OutcomeWatch final : public CallObserver {
 public:
  OutcomeWatch(CallObserver& next, pid_t root) : next_(next), root_(root) {}

  ExitInterest OnEntry(pid_t task, const SyscallInvocation& invocation) override {
    return next_.OnEntry(task, invocation);
  }

  void OnExit(pid_t task, CallResult result) override { next_.OnExit(task, result); }

  void OnNewTask(pid_t parent, pid_t child, std::uint64_t clone_flags) override {
    next_.OnNewTask(parent, child, clone_flags);
  }

  void OnExec(pid_t former, pid_t task) override { next_.OnExec(former, task); }

  void OnExiting(pid_t task) override { next_.OnExiting(task); }

  void OnLimitation(const std::string& kind, const std::string& detail) override {
    next_.OnLimitation(kind, detail);
  }

  void OnEnd(pid_t task, const Outcome& outcome) override {
    if (task == root_) {
      outcome_ = outcome;
    }
    next_.OnEnd(task, outcome);
  }

  const std::optional<Outcome>& outcome() const { return outcome_; }

 private:
  CallObserver& next_;
  pid_t root_;
  std::optional<Outcome> outcome_;
};

/// A shell must see that its job has stopped: stop with the first process when the terminal stopped
/// it. SIGSTOP is not of the terminal: whoever sent it to the workload alone will continue the
/// workload alone.
void StopWithTerminalJob(pid_t root, pid_t task, int signal) {
  const bool by_terminal = signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
  if (task == root && by_terminal && ::getpgid(root) == ::getpgrp()) {
    (void)::raise(SIGSTOP);
  }
}

Status FollowToTheEnd(PtraceSession& session, RunControl& control, const OutcomeWatch& watch,
                      RunUntil until) {
  for (;;) {
    ASSIGN_OR_RETURN(const PtraceSession::Step step, session.RunOnce());
    if (step == PtraceSession::Step::kFinished) {
      return {};
    }
    if (step == PtraceSession::Step::kInterrupted) {
      control.HandleSignals();
    }
    control.KeepKilling();
    if (until == RunUntil::kFirstProcess && watch.outcome() && control.running() &&
        session.task_count() > 0) {
      control.End();
    }
  }
}

}  // namespace

Expected<LearningRun> RecordRun(const RecordOptions& options) {
  const HostFacts host = ReadHostFacts();
  LearningRun run;
  Run facts;
  facts.command = options.command;
  facts.host = host;
  facts.started_unix_s = std::time(nullptr);
  const Expected<std::string> executable = FindExecutable(options.command.front());
  if (!executable.has_value()) {
    run.outcome = NotExecuted{executable.error().sys_errno};
    return run;
  }
  const Clock::time_point start = Clock::now();
  LinuxTraceKernel kernel;
  ASSIGN_OR_RETURN(const LaunchedTask launched,
                   Launch(kernel, *executable, options.command, ChooseTier(options, host)));
  ASSIGN_OR_RETURN(SignalInbox inbox, SignalInbox::Open());
  const pid_t root = launched.task();
  CallRecorder recorder(root);
  OutcomeWatch watch(recorder, root);
  PtraceSession session(kernel, watch, launched.tier());
  session.OnGroupStop([root](pid_t task, int signal) { StopWithTerminalJob(root, task, signal); });
  RunControl control(inbox, session, recorder, root);
  control.Start(options.timeout);
  RETURN_IF_ERROR(session.Begin(root));
  RETURN_IF_ERROR(FollowToTheEnd(session, control, watch, options.until));
  run.outcome = watch.outcome().value_or(Outcome(Exited{0}));
  if (const std::optional<int> not_executed = launched.ExecuteError()) {
    run.outcome = NotExecuted{*not_executed};
    return run;
  }
  run.duration = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
  run.ended_early = control.ended_early();
  run.tier = launched.tier();
  run.counts = session.counts();
  run.recording = recorder.Take();
  facts.duration_ms = static_cast<std::uint64_t>(run.duration.count());
  facts.tier = Name(run.tier);
  facts.limitations = recorder.limitations();
  if (!run.ended_early) {
    facts.outcome = run.outcome;
  }
  run.recording.runs.emplace(RandomRunId(), std::move(facts));
  return run;
}

}  // namespace cordon
