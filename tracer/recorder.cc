#include "tracer/recorder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>
#include <functional>
#include <set>

#include "common/file.h"
#include "common/readiness.h"
#include "common/text.h"
#include "observe/file_name.h"
#include "observe/host_facts.h"
#include "observe/process_status.h"
#include "observe/process_tree.h"
#include "tracer/attach.h"
#include "tracer/call_recorder.h"
#include "tracer/kernel.h"
#include "tracer/launch.h"
#include "tracer/path_cache.h"
#include "tracer/run_control.h"
#include "tracer/signal_inbox.h"
#include "tracer/trace_permission.h"

namespace cordon {
namespace {

using Clock = std::chrono::steady_clock;

/// Of processors, that this process has used.
std::chrono::nanoseconds OwnTime() {
  timespec used{};
  (void)::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);  // does not fail (clock_gettime(2))
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

/// The tier to try: under a filter of the outside world, ours would not see what that one refuses.
TraceTier ChooseTier(const RecordOptions& options, const HostFacts& host) {
  TraceTier wanted = options.tier.value_or(TraceTier::kFiltered);
  if (wanted == TraceTier::kFast && NativeArchitecture() != Architecture::kX86_64) {
    wanted = TraceTier::kFiltered;  // there are stubs for no other
  }
  return host.tracer_filtered ? TraceTier::kExact : wanted;
}

/// Notes how the first process ended.
class OutcomeWatch final : public CallObserver {
 public:
  OutcomeWatch(CallObserver& next, pid_t root) : next_(next), root_(root) {}

  ExitInterest OnEntry(pid_t task, const SyscallInvocation& invocation) override {
    return next_.OnEntry(task, invocation);
  }

  void OnExit(pid_t task, CallResult result) override { next_.OnExit(task, result); }

  void OnBegin(pid_t task) override { next_.OnBegin(task); }

  void OnNewTask(pid_t parent, pid_t child, std::uint64_t clone_flags) override {
    next_.OnNewTask(parent, child, clone_flags);
  }

  void OnDescriptor(pid_t task, int fd, std::uint32_t identity) override {
    next_.OnDescriptor(task, fd, identity);
  }

  std::vector<std::pair<int, std::uint32_t>> DescriptorsOf(pid_t task) override {
    return next_.DescriptorsOf(task);
  }

  Repetition RepetitionOf(pid_t task) override { return next_.RepetitionOf(task); }

  bool OpensProcessStatus(pid_t task) override { return next_.OpensProcessStatus(task); }

  void OnExec(pid_t former, pid_t task) override {
    executed_ = true;
    next_.OnExec(former, task);
  }

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

  /// Was any program executed?
  bool executed() const { return executed_; }

 private:
  CallObserver& next_;
  pid_t root_;
  std::optional<Outcome> outcome_;
  bool executed_ = false;
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

/// The boundary between start and serve.
class ServingBoundary {
 public:
  ServingBoundary(const RecordOptions& options, CallRecorder& recorder, RunControl& control)
      : recorder_(recorder), when_(options.serving_when) {
    if (options.first_phase == Phase::kServe) {
      recorder.BeginServing();
    } else if (when_ == ServingWhen::kListen) {
      recorder.ServeOnListen();
    } else if (when_ == ServingWhen::kSignal) {
      control.KeepUserSignal();
    }
  }

  /// `readiness` must outlive it.
  Status Watch(Readiness& readiness) {
    readiness_ = &readiness;
    recorder_.LeaveOut(readiness.address());
    readiness.CloseDescriptor();
    RETURN_IF_ERROR(readiness.Arm());
    Heed({.input = true});
    return {};
  }

  void Heed(const Signals& signals) {
    const bool signal = when_ == ServingWhen::kSignal && signals.boundary;
    const bool ready = signals.input && readiness_ != nullptr && readiness_->Ready();
    if (signal || ready) {
      recorder_.BeginServing();
    }
  }

  /// Says in `facts` what came of it.
  void Report(Run& facts) const {
    facts.serving_when = Name(when_);
    facts.serving_ms = recorder_.serving_ms();
    if (when_ != ServingWhen::kNever && !facts.serving_ms) {
      recorder_.OnLimitation(
          "no-serving-boundary",
          when_ == ServingWhen::kListen
              ? "no listen(2) succeeded, so everything is of the start phase; a server without "
                "one needs --serving-when ready-fd or signal:USR1"
              : "the workload never said that it serves, so everything is of the start phase");
    }
  }

 private:
  CallRecorder& recorder_;
  ServingWhen when_;
  Readiness* readiness_ = nullptr;
};

/// Tells a watcher how the run goes.
class ProgressTeller {
 public:
  ProgressTeller(RunWatcher* watcher, SignalInbox& inbox, CallRecorder& recorder,
                 const PtraceSession& session)
      : watcher_(watcher), recorder_(recorder), session_(session) {
    if (watcher_ != nullptr) {
      inbox.SetTick(RunWatcher::kInterval);
      recorder.OnTerminalOutput([watcher](OutputEnd end) { watcher->BeforeOutput(end); });
    }
  }

  void TellIfDue() {
    if (watcher_ == nullptr) {
      return;
    }
    const Clock::time_point now = Clock::now();
    if (now - last_ < RunWatcher::kInterval) {
      return;
    }
    last_ = now;
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - start_);
    const RecordingLog& log = recorder_.log();
    watcher_->OnProgress({.elapsed = elapsed,
                          .processes = recorder_.Processes().size(),
                          .syscalls = log.syscall_count(),
                          .paths = log.file_count(),
                          .calls = session_.counts().calls,
                          .since_new = elapsed - std::min(elapsed, std::chrono::milliseconds(
                                                                       log.curve().last_ms()))});
  }

 private:
  RunWatcher* watcher_;
  const CallRecorder& recorder_;
  const PtraceSession& session_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_ = start_;
};

Status FollowToTheEnd(PtraceSession& session, RunControl& control, ServingBoundary& boundary,
                      ProgressTeller& teller, const OutcomeWatch& watch, RunUntil until,
                      const std::function<void()>& on_input = {}) {
  Clock::time_point since = Clock::now();
  for (;;) {
    teller.TellIfDue();
    if (const Clock::time_point now = Clock::now(); now - since >= PathCache::kLifetime) {
      since = now;
      session.ForgetNames();
      session.ReviewProcessors();
    }
    ASSIGN_OR_RETURN(const PtraceSession::Step step, session.RunOnce());
    if (step == PtraceSession::Step::kFinished) {
      return {};
    }
    if (step == PtraceSession::Step::kInterrupted || SignalInbox::Pending()) {
      const Signals signals = control.HandleSignals();
      boundary.Heed(signals);
      if (signals.input && on_input) {
        on_input();
      }
    }
    if (control.gave_up()) {
      return {};
    }
    control.KeepKilling();
    if (until == RunUntil::kFirstProcess && watch.outcome() && control.running() &&
        session.task_count() > 0) {
      control.End();
    }
  }
}

/// A learning run while it takes place.
struct Recorded {
  LearningRun run;
  Run facts;
  Clock::time_point start = Clock::now();
  std::chrono::nanoseconds own_time_before = OwnTime();
};

/// Puts together what was recorded.
LearningRun Finish(Recorded recorded, CallRecorder& recorder, const PtraceSession& session,
                   const RunControl& control, const ServingBoundary& boundary) {
  LearningRun run = std::move(recorded.run);
  Run facts = std::move(recorded.facts);
  run.duration =
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - recorded.start);
  run.ended_early = control.ended_early();
  run.counts = session.counts();
  run.tracer_time = OwnTime() - recorded.own_time_before;
  facts.discovery = recorder.log().curve().points();
  facts.coverage = recorder.log().MeasureCoverage();
  facts.coverage.calls += run.counts.stubs.hits;
  run.recording = recorder.Take();
  facts.duration_ms = static_cast<std::uint64_t>(run.duration.count());
  facts.tier = Name(run.tier);
  boundary.Report(facts);
  facts.limitations = recorder.limitations();
  if (facts.host.tracer_filtered) {
    facts.limitations.insert(
        {"outer-seccomp-filter",
         "the workload was learned under a seccomp filter from outside: the calls that it refuses "
         "are recorded as refused, and what would have followed them was not seen"});
  }
  if (!run.ended_early) {
    facts.outcome = run.outcome;
  }
  run.recording.runs.emplace(NewRunId(), std::move(facts));
  return run;
}

Recorded NewRun(const HostFacts& host, std::vector<std::string> command,
                const RecordOptions& options) {
  Recorded recorded;
  recorded.facts.further = options.further;
  if (options.io_uring == IoUring::kWithheld) {
    recorded.facts.withheld.insert("io_uring_setup");
  }
  recorded.facts.command = std::move(command);
  recorded.facts.host = host;
  recorded.facts.started_unix_s = std::time(nullptr);
  return recorded;
}

/// The words of /proc/PID/cmdline; the program's name where there are none.
std::vector<std::string> CommandLineOf(pid_t process) {
  constexpr std::size_t kMaxBytes = std::size_t{4} << 20;
  std::string text =
      ReadFile(fmt::format("/proc/{}/cmdline", process), kMaxBytes).value_or(std::string());
  while (text.ends_with('\0')) {
    text.pop_back();
  }
  if (text.empty()) {
    return {ReadLinkText(fmt::format("/proc/{}/exe", process)).value_or("unknown")};
  }
  return Split(text, '\0');
}

/// The descriptors from 3 on that a child of cordon inherits; 0 to 2 are everybody's.
std::vector<std::string> InheritedDescriptors() {
  constexpr int kFirst = 3;
  std::vector<std::string> inherited;
  for (const int fd : OpenDescriptors(::getpid())) {
    const int flags = ::fcntl(fd, F_GETFD);
    if (fd >= kFirst && flags >= 0 && (flags & FD_CLOEXEC) == 0) {
      inherited.push_back(fmt::format("{}", fd));
    }
  }
  return inherited;
}

void NoteStart(CallRecorder& recorder) {
  if (const std::vector<std::string> inherited = InheritedDescriptors(); !inherited.empty()) {
    recorder.OnLimitation("inherited-descriptors",
                          fmt::format("descriptors that were open before the workload began ({}): "
                                      "their uses are recorded, but not how they were opened",
                                      Join(inherited, ", ")));
  }
}

void NoteAttachment(const AttachedTree& tree, CallRecorder& recorder) {
  recorder.OnLimitation("attached",
                        "the workload ran before it was traced: its start was not seen, only what "
                        "it still had open and mapped");
  const bool filtered = std::ranges::any_of(tree.tasks, [](const AttachedTask& task) {
    const Expected<ProcessStatus> status = ReadProcessStatus(task.id);
    return status.has_value() && status->seccomp_mode != 0;
  });
  if (filtered) {
    recorder.OnLimitation("inner-seccomp-filter",
                          "the workload runs under a seccomp filter: results are what that filter "
                          "left");
  }
  for (const pid_t process : tree.refused) {
    recorder.OnLimitation("untraced-child",
                          fmt::format("{} may not be traced: what it did was not seen",
                                      ReadLinkText(fmt::format("/proc/{}/exe", process))
                                          .value_or("a process that descends from the workload")));
  }
}

}  // namespace

Expected<LearningRun> RecordRun(const RecordOptions& options) {
  RETURN_IF_ERROR(CheckProc(ReadTraceSurroundings()));
  const HostFacts host = ReadHostFacts();
  Recorded recorded = NewRun(host, options.command, options);
  const Expected<std::string> executable = FindExecutable(options.command.front());
  if (!executable.has_value()) {
    recorded.run.outcome = NotExecuted{executable.error().sys_errno};
    return std::move(recorded.run);
  }
  LinuxTraceKernel kernel;
  TracedCommand request{
      .executable = *executable, .arguments = options.command, .tier = ChooseTier(options, host)};
  request.window = StubWindow::Choose();
  std::optional<Readiness> readiness;
  if (options.serving_when == ServingWhen::kReady) {
    ASSIGN_OR_RETURN(readiness, Readiness::Open());
    request.environment = readiness->Environment();
    request.inherited_descriptor = readiness->descriptor();
  }
  ASSIGN_OR_RETURN(const LaunchedTask launched, Launch(kernel, request));
  ASSIGN_OR_RETURN(SignalInbox inbox, SignalInbox::Open());
  const pid_t root = launched.task();
  CallRecorder recorder;
  recorder.Begin(root);
  NoteStart(recorder);
  OutcomeWatch watch(recorder, root);
  const bool stubs = launched.tier() == TraceTier::kFast;
  PtraceSession session(kernel, watch, stubs ? TraceTier::kFiltered : launched.tier(),
                        options.io_uring);
  inbox.SetTick(PathCache::kLifetime);
  session.ShareProcessor();
  if (stubs) {
    session.UseStubs(request.window, options.silent_stops_before_stubs);
    recorder.OnBeginServing([&session] { session.ForgetKnown(); });
  }
  session.OnGroupStop([root, &options](pid_t task, int signal) {
    if (options.watcher != nullptr) {
      options.watcher->BeforeOutput(OutputEnd::kLineEnded);
    }
    StopWithTerminalJob(root, task, signal);
  });
  ProgressTeller teller(options.watcher, inbox, recorder, session);
  RunControl control(
      inbox, session, [&] { return recorder.Processes(); }, root, EarlyEnd::kEndsWorkload);
  ServingBoundary boundary(options, recorder, control);
  if (readiness) {
    RETURN_IF_ERROR(boundary.Watch(*readiness));
  }
  control.Start(options.timeout);
  RETURN_IF_ERROR(session.Begin(root));
  RETURN_IF_ERROR(FollowToTheEnd(session, control, boundary, teller, watch, options.until));
  recorded.run.tier = launched.tier();
  recorded.run.outcome = watch.outcome().value_or(Outcome(Exited{0}));
  if (const std::optional<int> not_executed = launched.ExecuteError()) {
    recorded.run.outcome = NotExecuted{*not_executed};
    return std::move(recorded.run);
  }
  return Finish(std::move(recorded), recorder, session, control, boundary);
}

Expected<LearningRun> RecordProcess(pid_t process, const RecordOptions& options) {
  Recorded recorded = NewRun(ReadHostFacts(), CommandLineOf(process), options);
  LinuxTraceKernel kernel;
  ASSIGN_OR_RETURN(SignalInbox inbox, SignalInbox::Open());
  ASSIGN_OR_RETURN(const AttachedTree tree, AttachTree(kernel, process));
  CallRecorder recorder;
  OutcomeWatch watch(recorder, process);
  PtraceSession session(kernel, watch, TraceTier::kExact, options.io_uring);
  ProgressTeller teller(options.watcher, inbox, recorder, session);
  RunControl control(
      inbox, session, [&] { return recorder.Processes(); }, process, EarlyEnd::kLeavesWorkload);
  ServingBoundary boundary(options, recorder, control);
  recorder.BeginAttached(tree.tasks);
  NoteAttachment(tree, recorder);
  control.Start(options.timeout);
  session.BeginAttached(tree.tasks);
  RETURN_IF_ERROR(FollowToTheEnd(session, control, boundary, teller, watch, options.until));
  recorded.run.outcome = watch.outcome().value_or(Outcome(Exited{0}));
  return Finish(std::move(recorded), recorder, session, control, boundary);
}

TraceTier TierForContainers() {
  RecordOptions options;
  options.tier = TraceTier::kFast;
  return ChooseTier(options, ReadHostFacts());
}

Expected<LearningRun> RecordContainer(const ContainerRecordOptions& options, ProcessGate& gate) {
  const RecordOptions run_options;
  Recorded recorded = NewRun(ReadHostFacts(), options.command, run_options);
  recorded.facts.binds = options.binds;
  recorded.run.tier = options.tier;
  LinuxTraceKernel kernel;
  ASSIGN_OR_RETURN(SignalInbox inbox, SignalInbox::Open());
  CallRecorder recorder;
  OutcomeWatch watch(recorder, options.root);
  const bool stubs = options.tier == TraceTier::kFast;
  PtraceSession session(kernel, watch, stubs ? TraceTier::kFiltered : options.tier);
  if (stubs) {
    inbox.SetTick(PathCache::kLifetime);
    session.UseStubs(options.window, options.silent_stops_before_stubs);
  }
  if (options.filtered) {
    recorder.OnLimitation("outer-seccomp-filter",
                          "the container was learned under its engine's seccomp profile: the calls "
                          "that it refuses are recorded as refused, and what would have followed "
                          "them was not seen");
  }
  if (options.profile) {
    session.Hold(*options.profile);
  }
  ProgressTeller teller(nullptr, inbox, recorder, session);
  RunControl control(
      inbox, session, [&] { return recorder.Processes(); }, options.root, EarlyEnd::kEndsWorkload);
  ServingBoundary boundary(run_options, recorder, control);
  const FilterEvents events =
      options.tier == TraceTier::kExact ? FilterEvents::kIgnored : FilterEvents::kReported;
  const auto let_in = [&] {
    while (const std::optional<pid_t> process = gate.Next()) {
      const Status seized = kernel.Seize(*process, events, Lifetime::kEndsWithTracer);
      if (seized.has_value()) {
        session.BeginAtExec(*process);
      }
      gate.Answer(seized);
    }
  };
  control.Start(std::nullopt);
  while (gate.Await()) {
    let_in();
    RETURN_IF_ERROR(
        FollowToTheEnd(session, control, boundary, teller, watch, RunUntil::kLastTask, let_in));
  }
  recorded.run.outcome = watch.outcome().value_or(Outcome(Exited{0}));
  if (!watch.executed()) {
    recorded.run.outcome = NotExecuted{ENOENT};
    return std::move(recorded.run);
  }
  return Finish(std::move(recorded), recorder, session, control, boundary);
}

}  // namespace cordon
