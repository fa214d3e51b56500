#include "runtime/sandbox.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string_view>
#include <system_error>

#include "common/file.h"
#include "common/text.h"
#include "runtime/call_auditor.h"
#include "runtime/call_judge.h"
#include "runtime/cgroup_usage.h"
#include "runtime/confinement_check.h"
#include "runtime/control_server.h"
#include "runtime/entered_workload.h"
#include "runtime/has_executed.h"
#include "runtime/held_workload.h"
#include "runtime/init_process.h"
#include "runtime/landlock_log.h"
#include "runtime/mount_labels.h"
#include "runtime/oom_score.h"
#include "runtime/outside_sources.h"
#include "runtime/port_forwarder.h"
#include "runtime/private_network.h"
#include "runtime/sandbox_cgroups.h"
#include "runtime/sandbox_processes.h"
#include "runtime/serving_boundary.h"
#include "runtime/write_id_maps.h"

namespace cordon {
namespace {

/// What is passed on to the workload. The job-control signals are not among them: they are for this
/// process as much as for the workload.
constexpr std::array<int, 9> kForwardedSignals{SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGUSR1,
                                               SIGUSR2, SIGALRM, SIGPROF, SIGWINCH};

/// Blocks every signal while the children are made, then only what is handled here; restores the
/// caller's mask at the end.
class SignalMask {
 public:
  SignalMask() {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &original_);
  }

  SignalMask(const SignalMask&) = delete;
  SignalMask& operator=(const SignalMask&) = delete;

  ~SignalMask() { ::sigprocmask(SIG_SETMASK, &original_, nullptr); }

  const sigset_t& original() const { return original_; }

  /// From now on what is handled here, and would end this process, is ignored.
  static void IgnoreHandled() {
    for (const int signal : kForwardedSignals) {
      struct sigaction action{};
      if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_DFL) {
        action.sa_handler = SIG_IGN;
        (void)::sigaction(signal, &action, nullptr);
      }
    }
  }

  Expected<UniqueFd> Supervise() {
    sigset_t handled;
    ::sigemptyset(&handled);
    for (const int signal : kForwardedSignals) {
      ::sigaddset(&handled, signal);
    }
    ::sigaddset(&handled, SIGCONT);  // which lets a stopped process go on all the same
    UniqueFd fd(::signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd.valid()) {
      const int signalfd_errno = errno;
      return Fail(SystemError(signalfd_errno, "signalfd"));
    }
    sigset_t blocked = handled;
    ::sigaddset(&blocked,
                SIGPIPE);  // a closed stderr must not end the supervisor, and with it the workload
    ::sigprocmask(SIG_SETMASK, &blocked, nullptr);
    return fd;
  }

 private:
  sigset_t original_{};
};

Error CloneError(const LaunchPlan& plan, int clone_errno) {
  if ((plan.clone_flags & CLONE_NEWUSER) != 0 &&
      (clone_errno == EPERM || clone_errno == ENOSPC || clone_errno == EUSERS)) {
    return MakeError(
        ErrorCode::kPermission,
        std::string("this host does not let an ordinary user make a user namespace (") +
            std::strerror(clone_errno) +
            "): see /proc/sys/user/max_user_namespaces, kernel.unprivileged_userns_clone and "
            "kernel.apparmor_restrict_unprivileged_userns, or run cordon as root");
  }
  return SystemError(clone_errno, "making the sandbox's namespaces");
}

struct NamespaceFile {
  std::string_view name;  ///< in /proc/PID/ns
  std::uint64_t flag = 0;
};

/// In the order in which they can be entered (EntryContext). The cgroup namespace is not among
/// them: who has joined the cgroups makes one with the same roots.
constexpr std::array<NamespaceFile, 6> kNamespaceFiles{{{"user", CLONE_NEWUSER},
                                                        {"net", CLONE_NEWNET},
                                                        {"uts", CLONE_NEWUTS},
                                                        {"ipc", CLONE_NEWIPC},
                                                        {"pid", CLONE_NEWPID},
                                                        {"mnt", CLONE_NEWNS}}};

/// As lsns(8) and /proc/PID/ns name it: "net:[4026531840]".
std::string NameOfNamespace(int file) {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(file), ignored).string();
}

constexpr int kExecutionPauseMs = 2;

/// One running sandbox, from clone to the end of its first process.
class Supervisor {
 public:
  Supervisor(const LaunchPlan& plan, const SandboxOptions& options, SandboxCgroups& cgroups,
             PortForwarder forwarder, ServingBoundary& boundary, CallJudge& judge,
             CallAuditor* auditor)
      : plan_(plan),
        options_(options),
        cgroups_(cgroups),
        limits_(plan.limits),
        forwarder_(std::move(forwarder)),
        boundary_(boundary),
        judge_(judge),
        auditor_(auditor),
        workload_(plan, options, judge, auditor),
        control_(options.control_listener,
                 {.inspect = [this] { return Inspect(); },
                  .signal = [this](int signal) { Signal(signal); },
                  .pause = [this] { return cgroups_.Freeze(); },
                  .resume = [this] { return cgroups_.Thaw(); },
                  .update = [this](const ResourceLimits& change) { return Update(change); },
                  .execute = [this](const auto& request,
                                    const auto& streams) { return Enter(request, streams); }}) {}

  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// What is frozen cannot be killed on v1.
  ~Supervisor() { (void)cgroups_.Thaw(); }

  Status Start(HandoverPage& page, const SignalMask& signals);
  Expected<SandboxResult> Run(UniqueFd signals);

  /// Takes what has come that may move the serving boundary.
  void HearNews();

 private:
  Status OpenNamespaces(pid_t first);
  SandboxState Inspect() const;
  std::uint64_t Violations() const;
  Status Update(const ResourceLimits& change);
  Expected<std::unique_ptr<EnteredWorkload>> Enter(const ControlRequest& request,
                                                   const std::array<int, 3>& streams);
  void Signal(int signal);
  void ForwardSignals();
  void AddStreamWaits(std::vector<pollfd>& waits) const;
  void HandleStreams(const std::vector<pollfd>& waits) const;
  Status NoticeExecution();
  void NoticeRefusals(short events);

  int RefusalsFd() const { return refusals_ ? refusals_->fd() : -1; }

  SandboxResult End();

  const LaunchPlan& plan_;
  const SandboxOptions& options_;
  SandboxCgroups& cgroups_;
  ResourceLimits limits_;
  PortForwarder forwarder_;
  ServingBoundary& boundary_;
  CallJudge& judge_;
  CallAuditor* auditor_;
  UniqueFd signals_;
  sigset_t signal_mask_{};  ///< of what is executed
  std::int64_t started_ms_ = 0;
  bool executed_ = false;  ///< and said so
  std::unique_ptr<PrivateNetwork> network_;
  std::vector<std::string_view> namespace_names_;
  std::vector<UniqueFd> namespaces_;     ///< of namespace_names_
  std::optional<LandlockLog> refusals_;  ///< nothing: they are not reported
  HeldWorkload workload_;                ///< the first one
  ControlServer control_;                ///< before it is gone, the others are
};

Status Supervisor::Start(HandoverPage& page, const SignalMask& signals) {
  signal_mask_ = signals.original();
  if (plan_.file_holder == FileHolder::kLandlock && plan_.listener) {
    if (Expected<LandlockLog> log =
            LandlockLog::Open({options_.on_violation, options_.on_warning})) {
      refusals_.emplace(*std::move(log));
    }
  }
  ASSIGN_OR_RETURN(UniqueFd inner, workload_.OpenChannel());
  const ExecuteArguments execute(plan_, boundary_.Environment());
  MountScratch mounts(plan_);
  ASSIGN_OR_RETURN(const OutsideSources outside, OutsideSources::Open(plan_));
  outside.Give(mounts);
  const std::array<int, 3> streams = options_.streams.value_or(std::array<int, 3>{-1, -1, -1});
  std::vector<int> kept = outside.Descriptors();
  kept.insert(kept.end(), streams.begin(), streams.end());
  kept.push_back(boundary_.descriptor());
  const std::string notify_address = boundary_.address();
  const InitContext context{{plan_, execute, page, cgroups_.task_files(), inner.get(), signal_mask_,
                             -1, boundary_.descriptor(), notify_address,
                             KeptDescriptors(inner.get(), cgroups_.task_files(), kept)},
                            mounts,
                            streams};

  int pidfd = -1;
  clone_args arguments{};
  arguments.flags = plan_.clone_flags | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  if (cgroups_.folder_to_clone_into() >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(cgroups_.folder_to_clone_into());
  }
  const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid < 0) {
    const int clone_errno = errno;
    return Fail(CloneError(plan_, clone_errno));
  }
  if (pid == 0) {
    RunInit(context);
  }
  workload_.SetHolder(UniqueFd(pidfd));
  workload_.SetTakeNotifySocket(
      [this](UniqueFd socket) { boundary_.TakeSocket(std::move(socket)); });
  if (options_.terminal != nullptr) {
    workload_.SetTakeTerminal(
        [this](UniqueFd master) { options_.terminal->Take(std::move(master)); });
  }
  boundary_.CloseDescriptor();
  inner.Reset();
  RETURN_IF_ERROR(cgroups_.Admit(static_cast<pid_t>(pid)));
  RETURN_IF_ERROR(WriteIdMaps(static_cast<pid_t>(pid), plan_));
  if (plan_.sources_outside) {
    ASSIGN_OR_RETURN(const UniqueFd user_namespace,
                     OpenAt(AT_FDCWD, "/proc/" + std::to_string(pid) + "/ns/user", O_RDONLY));
    RETURN_IF_ERROR(outside.MapIds(user_namespace.get()));
  }
  RETURN_IF_ERROR(SetOomScore(static_cast<pid_t>(pid), plan_));
  RETURN_IF_ERROR(CheckNamespacesOf(static_cast<pid_t>(pid), plan_));
  if (options_.control_listener >= 0) {
    RETURN_IF_ERROR(OpenNamespaces(static_cast<pid_t>(pid)));
  }
  if (plan_.private_network) {
    ASSIGN_OR_RETURN(network_, *plan_.private_network == NetworkTechnique::kVeth
                                   ? MakeVethNetwork(static_cast<pid_t>(pid), plan_.published,
                                                     options_.on_warning)
                                   : MakePastaNetwork(static_cast<pid_t>(pid), plan_.published));
  }
  timespec now{};
  (void)::clock_gettime(CLOCK_REALTIME, &now);
  started_ms_ = (std::int64_t{now.tv_sec} * 1000) + (now.tv_nsec / 1'000'000);
  workload_.Proceed();
  workload_.SetTakeSocket([this](std::uint32_t ticket, UniqueFd socket) {
    forwarder_.TakeSocket(ticket, std::move(socket));
  });
  forwarder_.SetRequestSocket(
      [this](int family, std::uint32_t ticket) { workload_.RequestSocket(family, ticket); });
  return {};
}

/// Now, while the first process waits and has not shut itself against ptrace_may_access(): later an
/// ordinary user may not look.
Status Supervisor::OpenNamespaces(pid_t first) {
  for (const NamespaceFile& file : kNamespaceFiles) {
    if ((plan_.clone_flags & file.flag) != 0) {
      ASSIGN_OR_RETURN(
          UniqueFd opened,
          OpenAt(AT_FDCWD, "/proc/" + std::to_string(first) + "/ns/" + std::string(file.name),
                 O_RDONLY));
      namespaces_.push_back(std::move(opened));
      namespace_names_.push_back(file.name);
    }
  }
  return {};
}

/// Of the workload, the commands that were started beside it, and what Landlock refused to either.
std::uint64_t Supervisor::Violations() const {
  return workload_.violations() + control_.violations() + (refusals_ ? refusals_->violations() : 0);
}

SandboxState Supervisor::Inspect() const {
  SandboxState state = options_.facts;
  state.supervisor = ::getpid();
  state.pid = workload_.pid();
  state.started_ms = started_ms_;
  state.command = plan_.arguments;
  state.root = plan_.root_path;
  state.hostname = plan_.hostname;
  state.status = cgroups_.frozen() ? "paused" : "running";
  if (judge_.has_two_phases()) {
    state.phase = boundary_.passed() ? "serve" : "start";
  }
  state.address = network_ ? network_->address() : "";
  state.enforcement = options_.enforcement == Enforcement::kAudit ? "audit" : "enforce";
  state.files_held_by = plan_.file_part;
  state.selinux_label = plan_.selinux_label;
  for (std::size_t i = 0; i < namespaces_.size(); ++i) {
    state.namespaces[std::string(namespace_names_[i])] = NameOfNamespace(namespaces_[i].get());
  }
  if (workload_.time_namespace() >= 0) {
    state.namespaces["time"] = NameOfNamespace(workload_.time_namespace());
  }
  state.cgroups = cgroups_.folders();
  state.limits = limits_;
  for (const MountStep& mount : plan_.mounts) {
    state.mounts.push_back(mount.destination + " from " + mount.source);
  }
  state.filter_instructions = plan_.filter.size();
  state.violations = Violations();
  state.entered = control_.Entered();
  return state;
}

Status Supervisor::Update(const ResourceLimits& change) {
  if (!workload_.begun()) {
    return Fail(MakeError(ErrorCode::kUnsupported, "the sandbox is still being made"));
  }
  if (!change.devices.empty()) {
    return Fail(
        MakeError(ErrorCode::kUnsupported, "the devices of a running sandbox cannot be changed"));
  }
  const ResourceLimits wanted = ChangeLimits(limits_, change);
  ASSIGN_OR_RETURN(const CgroupPlan plan,
                   PlanCgroups(wanted, OriginsOfChange(change), plan_.cgroup_layout));
  for (const UnheldLimit& unheld : plan.unheld) {
    if (unheld.origin == LimitOrigin::kAsked) {
      return Fail(
          MakeError(ErrorCode::kUnsupported, unheld.option + " cannot be held: " + unheld.reason));
    }
  }
  RETURN_IF_ERROR(cgroups_.Change(plan.steps, [] {
    std::vector<pid_t> pids;
    std::ranges::transform(SandboxProcesses(::getpid()), std::back_inserter(pids),
                           &SandboxProcess::pid);
    return pids;
  }));
  limits_ = wanted;
  return {};
}

Expected<std::unique_ptr<EnteredWorkload>> Supervisor::Enter(const ControlRequest& request,
                                                             const std::array<int, 3>& streams) {
  if (!workload_.begun()) {
    return Fail(MakeError(ErrorCode::kUnsupported, "the sandbox is still being made"));
  }
  if (cgroups_.frozen()) {
    return Fail(MakeError(ErrorCode::kUnsupported, "the sandbox is paused: resume it first"));
  }
  return EnteredWorkload::Start(PlanEntry(plan_, {request.arguments, request.environment,
                                                  request.working_directory, request.terminal}),
                                options_,
                                {namespaces_, workload_.time_namespace(), cgroups_,
                                 workload_.landlock_ruleset(), signal_mask_, judge_, auditor_},
                                streams);
}

void Supervisor::Signal(int signal) {
  workload_.Signal(signal);
  if (signal == SIGKILL) {
    (void)cgroups_.Thaw();  // it dies before it does anything else
  }
}

/// Of who serves the workload's streams, if anybody does.
void Supervisor::AddStreamWaits(std::vector<pollfd>& waits) const {
  if (options_.output != nullptr) {
    options_.output->AddWaits(waits);
  }
  if (options_.terminal != nullptr) {
    options_.terminal->AddWaits(waits);
  }
}

void Supervisor::HandleStreams(const std::vector<pollfd>& waits) const {
  if (options_.output != nullptr) {
    options_.output->Handle(waits);
  }
  if (options_.terminal != nullptr) {
    options_.terminal->Handle(waits);
  }
}

void Supervisor::ForwardSignals() {
  TerminalRelay* const terminal = options_.terminal;
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGUSR1 && workload_.begun() && boundary_.TakesUserSignal()) {
      continue;
    }
    if (terminal != nullptr && info.ssi_signo == SIGWINCH) {
      terminal->Resize();
      continue;
    }
    if (info.ssi_signo == SIGCONT) {
      if (terminal != nullptr) {
        terminal->Resume();
      }
      continue;
    }
    // What the terminal sends goes to its whole foreground group, the workload included, but for
    // one that has a terminal of its own.
    if (!workload_.begun() && info.ssi_signo == SIGWINCH) {
      continue;
    }
    if (!workload_.begun()) {
      // Asked to end while the sandbox was still being made.
      workload_.SetOutcome(Signaled{static_cast<int>(info.ssi_signo)});
    } else if (info.ssi_code != SI_KERNEL || terminal != nullptr) {
      workload_.Signal(static_cast<int>(info.ssi_signo));
    }
  }
}

void Supervisor::HearNews() {
  ForwardSignals();
  boundary_.Hear();
}

Expected<SandboxResult> Supervisor::Run(UniqueFd signals) {
  signals_ = std::move(signals);
  const auto waits_for_execution = [this] {
    return (options_.on_executed || !plan_.selinux_label.empty()) && workload_.begun() &&
           !executed_;
  };
  std::vector<pollfd> waits;
  while (!workload_.outcome()) {
    // poll(2) ignores negative descriptors. Connections wait in the backlog until the workload is
    // confined: before that the sandbox's first process takes no request for a socket.
    waits = {{workload_.channel(), POLLIN, 0},
             {signals_.get(), POLLIN, 0},
             {workload_.notifications(), POLLIN, 0},
             {workload_.begun() ? forwarder_.fd() : -1, POLLIN, 0},
             {RefusalsFd(), POLLIN, 0}};
    boundary_.AddWaits(waits);
    control_.AddWaits(waits);
    AddStreamWaits(waits);
    if (::poll(waits.data(), waits.size(), waits_for_execution() ? kExecutionPauseMs : -1) < 0) {
      const int poll_errno = errno;
      if (poll_errno != EINTR) {
        return Fail(SystemError(poll_errno, "poll"));
      }
      continue;
    }
    HearNews();
    NoticeRefusals(waits[4].revents);
    if (waits[2].revents != 0) {
      RETURN_IF_ERROR(workload_.HandleNotifications(waits[2].revents));
    }
    if (waits[3].revents != 0) {
      forwarder_.HandleEvents();
    }
    if (waits[0].revents != 0) {
      RETURN_IF_ERROR(workload_.TakeMessage());
    }
    control_.Handle(waits);
    HandleStreams(waits);
    if (waits_for_execution()) {
      RETURN_IF_ERROR(NoticeExecution());
    }
  }
  return End();
}

/// Says that the workload has executed its command, if it has, and looks whether execve(2) gave it
/// its label.
Status Supervisor::NoticeExecution() {
  const std::optional<Outcome>& outcome = workload_.outcome();
  const bool has_ended = outcome.has_value();
  if (outcome ? std::holds_alternative<NotExecuted>(*outcome) : !HasExecuted(workload_.pid())) {
    return {};
  }
  executed_ = true;
  if (!has_ended && !plan_.selinux_label.empty()) {
    const std::string label = ProcessLabel(workload_.pid());
    if (!label.empty() && label != plan_.selinux_label) {
      return Fail(MakeError(ErrorCode::kInternal, "the workload's SELinux label is " +
                                                      Quote(label) + " instead of " +
                                                      Quote(plan_.selinux_label)));
    }
  }
  return options_.on_executed ? options_.on_executed(Inspect()) : Status();
}

/// Before what has ended is forgotten: audit names a domain by the process that made it.
void Supervisor::NoticeRefusals(short events) {
  LandlockLog* const log = refusals_ ? &*refusals_ : nullptr;
  if (log == nullptr) {
    return;
  }
  if (workload_.begun()) {
    log->NoteLauncher(workload_.pid());
  }
  for (const EnteredCommand& command : control_.Entered()) {
    log->NoteLauncher(command.pid);
  }
  if (events != 0) {
    log->Handle();
  }
}

SandboxResult Supervisor::End() {
  (void)cgroups_.Thaw();
  NoticeRefusals(0);
  workload_.Kill();
  if (refusals_) {
    refusals_->Finish();
  }
  if (options_.output != nullptr) {
    options_.output->Drain();
  }
  if (options_.terminal != nullptr) {
    options_.terminal->Finish();
  }
  SandboxResult result;
  const SandboxUsage counts = ReadCgroupCounts(cgroups_.folders());
  result.oom_kills = counts.oom_kills.value_or(0);
  result.tasks_refused = counts.tasks_refused.value_or(0);
  result.limits = limits_;
  result.outcome = workload_.outcome().value_or(Signaled{SIGKILL});
  result.violations = Violations();
  result.unreported_violations =
      workload_.unreported() + control_.unreported() + (refusals_ ? refusals_->unreported() : 0);
  result.served = boundary_.passed();
  if (options_.on_ended) {
    SandboxState state = Inspect();
    state.outcome = result.outcome;
    options_.on_ended(state);
  }
  control_.Finish(result.outcome);
  return result;
}

Expected<PortForwarder> ForwardPorts(const LaunchPlan& plan) {
  return PortForwarder::Listen(plan.private_network ? std::vector<PublishedPort>()
                                                    : plan.published);
}

Expected<CallJudge> MakeJudge(const SandboxOptions& options, ServingBoundary& boundary,
                              std::function<void()> hear_news) {
  if (options.serving_when == ServingWhen::kNever) {
    return CallJudge(options.policy, options.enforcement == Enforcement::kAudit
                                         ? CallJudge::Notified::kOthersToo
                                         : CallJudge::Notified::kRefusals);
  }
  return CallJudge::OfTwoPhases(options.policy, options.serving_policy, boundary,
                                std::move(hear_news));
}

std::string CgroupName() {
  static unsigned sequence = 0;
  return "cordon-" + std::to_string(::getpid()) + "-" + std::to_string(sequence++);
}

}  // namespace

Expected<SandboxResult> RunSandbox(const LaunchPlan& plan, const SandboxOptions& options) {
  ASSIGN_OR_RETURN(PortForwarder forwarder, ForwardPorts(plan));
  ASSIGN_OR_RETURN(const SharedHandover handover, SharedHandover::Create());
  SignalMask signals;
  std::vector<std::string> warnings;
  // Before the supervisor, so that they are removed after its processes are gone.
  ASSIGN_OR_RETURN(SandboxCgroups cgroups,
                   SandboxCgroups::Create(plan.cgroups, CgroupName(), options.limits_held,
                                          options.scope, warnings));
  for (const std::string& warning : warnings) {
    options.on_warning(warning);
  }
  Supervisor* hears = nullptr;
  ASSIGN_OR_RETURN(ServingBoundary boundary,
                   ServingBoundary::Open(options.serving_when, options.on_serving));
  ASSIGN_OR_RETURN(CallJudge judge, MakeJudge(options, boundary, [&hears] { hears->HearNews(); }));
  std::optional<CallAuditor> auditor;
  if (options.enforcement == Enforcement::kAudit) {
    auditor.emplace(options.audited_files ? std::optional(FilePolicy(*options.audited_files))
                                          : std::nullopt);
  }
  Supervisor supervisor(plan, options, cgroups, std::move(forwarder), boundary, judge,
                        auditor ? &*auditor : nullptr);
  hears = &supervisor;
  RETURN_IF_ERROR(supervisor.Start(handover.page(), signals));
  ASSIGN_OR_RETURN(UniqueFd signal_fd, signals.Supervise());
  Expected<SandboxResult> result = supervisor.Run(std::move(signal_fd));
  if (options.late_signals == LateSignals::kIgnored) {
    SignalMask::IgnoreHandled();
  }
  return result;
}

}  // namespace cordon
