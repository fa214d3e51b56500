#include "runtime/sandbox.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>

#include "common/file.h"
#include "common/text.h"
#include "runtime/capability_names.h"
#include "runtime/confinement_check.h"
#include "runtime/init_process.h"
#include "runtime/port_forwarder.h"
#include "runtime/sandbox_cgroups.h"
#include "runtime/seccomp_notifier.h"
#include "runtime/setup_channel.h"

namespace cordon {
namespace {

constexpr std::size_t kFdInfoLimit = 4096;

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

std::string SubjectOf(const LaunchPlan& plan, LaunchStep step, std::uint32_t index) {
  const auto of = [index](const auto& list, auto member) {
    return index < list.size() ? " " + Quote(member(list[index])) : std::string();
  };
  switch (step) {
    case LaunchStep::kCloneRoot:
    case LaunchStep::kReadonlyRoot:
    case LaunchStep::kAttachRoot:
      return " " + Quote(plan.root_path);
    case LaunchStep::kMountSource:
      return index < plan.mounts.size() ? " " + Quote(plan.mounts[index].destination) + " (" +
                                              Quote(plan.mounts[index].source) + ")"
                                        : "";
    case LaunchStep::kMountTarget:
    case LaunchStep::kMountFileSystem:
    case LaunchStep::kMountAttributes:
    case LaunchStep::kMountAttach:
      return of(plan.mounts, [](const MountStep& mount) { return mount.destination; });
    case LaunchStep::kMaskPath:
      return of(plan.masked_paths, [](const std::string& path) { return path; });
    case LaunchStep::kReadonlyPath:
      return of(plan.readonly_paths, [](const std::string& path) { return path; });
    case LaunchStep::kLandlockRule:
      return of(plan.landlock, [](const LandlockStep& rule) { return rule.path; });
    case LaunchStep::kRlimit:
      return of(plan.rlimits, [](const RlimitStep& limit) { return limit.name; });
    case LaunchStep::kBoundingSet:
      return " " + CapabilityName(index);
    case LaunchStep::kWorkingDirectory:
      return " " + Quote(plan.working_directory);
    default:
      return "";
  }
}

Error StepError(const LaunchPlan& plan, const SetupMessage& message) {
  return SystemError(message.value, std::string(Describe(message.step)) +
                                        SubjectOf(plan, message.step, message.index))
      .WithContext("the sandbox could not be made");
}

Status WriteMap(const std::string& path, const std::string& text) {
  ASSIGN_OR_RETURN(const UniqueFd file, OpenAt(AT_FDCWD, path, O_WRONLY));
  // The kernel takes a map in one write(2) only (user_namespaces(7)).
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    const int write_errno = errno;
    return Fail(SystemError(write_errno, "writing " + path));
  }
  return {};
}

std::string MapText(const std::vector<IdMap>& maps) {
  std::string text;
  for (const IdMap& map : maps) {
    text += std::to_string(map.inside) + " " + std::to_string(map.outside) + " " +
            std::to_string(map.count) + "\n";
  }
  return text;
}

Status WriteMaps(pid_t pid, const LaunchPlan& plan) {
  if (plan.uid_maps.empty()) {
    return {};
  }
  const std::string folder = "/proc/" + std::to_string(pid);
  RETURN_IF_ERROR(WriteMap(folder + "/uid_map", MapText(plan.uid_maps)));
  if (plan.deny_setgroups) {
    RETURN_IF_ERROR(WriteMap(folder + "/setgroups", "deny"));
  }
  return WriteMap(folder + "/gid_map", MapText(plan.gid_maps));
}

/// The process id behind a pidfd, as this process's /proc numbers it (pidfd_open(2)).
Expected<pid_t> PidOf(const UniqueFd& pidfd) {
  ASSIGN_OR_RETURN(const std::string text,
                   ReadFile("/proc/self/fdinfo/" + std::to_string(pidfd.get()), kFdInfoLimit));
  for (const std::string& line : Split(text, '\n')) {
    if (line.starts_with("Pid:\t")) {
      if (const auto pid = ParseUnsigned(line.substr(5))) {
        return static_cast<pid_t>(*pid);
      }
    }
  }
  return Fail(MakeError(ErrorCode::kSystem, "the workload ended before it could be checked"));
}

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

/// One running sandbox, from clone to the end of its first process.
class Supervisor {
 public:
  Supervisor(const LaunchPlan& plan, const SandboxOptions& options, PortForwarder forwarder)
      : plan_(plan), options_(options), forwarder_(std::move(forwarder)) {}

  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  ~Supervisor() { Kill(); }

  Status Start(const SandboxCgroups& cgroups, HandoverPage& page, const SignalMask& signals);
  Expected<SandboxResult> Run(UniqueFd signals);

 private:
  Status TakeMessage();
  Status Confined(UniqueFd workload, UniqueFd listener);
  Status HandleNotifications(short events);
  void ForwardSignals();
  void Kill();

  const LaunchPlan& plan_;
  const SandboxOptions& options_;
  PortForwarder forwarder_;
  UniqueFd channel_;
  UniqueFd init_;
  UniqueFd workload_;
  UniqueFd signals_;
  std::unique_ptr<SeccompNotifier> notifier_;
  bool notifier_open_ = false;
  bool over_ = false;
  Outcome outcome_ =
      Signaled{SIGKILL};  ///< what it is when the sandbox's first process dies without a word
};

Status Supervisor::Start(const SandboxCgroups& cgroups, HandoverPage& page,
                         const SignalMask& signals) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    const int socket_errno = errno;
    return Fail(SystemError(socket_errno, "socketpair"));
  }
  channel_.Reset(ends[0]);
  UniqueFd inner(ends[1]);
  const ExecuteArguments execute(plan_);
  MountScratch mounts(plan_);
  const InitContext context{
      plan_, mounts, execute, page, cgroups.task_files(), inner.get(), signals.original()};

  int pidfd = -1;
  clone_args arguments{};
  arguments.flags = plan_.clone_flags | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  if (cgroups.folder_to_clone_into() >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(cgroups.folder_to_clone_into());
  }
  const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid < 0) {
    const int clone_errno = errno;
    return Fail(CloneError(plan_, clone_errno));
  }
  if (pid == 0) {
    (void)::close(ends[0]);
    RunInit(context);
  }
  init_.Reset(pidfd);
  inner.Reset();
  RETURN_IF_ERROR(WriteMaps(static_cast<pid_t>(pid), plan_));
  (void)SendSetupMessage(channel_.get(), {SetupMessageKind::kProceed, LaunchStep::kNone, 0, 0});
  forwarder_.SetRequestSocket([this](int family, std::uint32_t ticket) {
    (void)SendSetupMessage(channel_.get(),
                           {SetupMessageKind::kNeedSocket, LaunchStep::kNone, family, ticket});
  });
  return {};
}

Status Supervisor::Confined(UniqueFd workload, UniqueFd listener) {
  workload_ = std::move(workload);
  ASSIGN_OR_RETURN(const pid_t pid, PidOf(workload_));
  RETURN_IF_ERROR(CheckConfinementOf(pid, plan_));
  if (plan_.listener) {
    if (!listener.valid()) {
      return Fail(MakeError(ErrorCode::kInternal, "the seccomp listener did not arrive"));
    }
    notifier_ = std::make_unique<SeccompNotifier>(std::move(listener), options_.policy,
                                                  options_.enforcement, options_.on_violation);
    RETURN_IF_ERROR(notifier_->Prepare());
    notifier_open_ = true;
  }
  (void)SendSetupMessage(channel_.get(), {SetupMessageKind::kGo, LaunchStep::kNone, 0, 0});
  return {};
}

Status Supervisor::TakeMessage() {
  SetupMessage message;
  std::array<int, kMaxSetupFds> fds{};
  const Received received = ReceiveSetupMessage(channel_.get(), message, fds, MSG_DONTWAIT);
  UniqueFd first(fds[0]);
  UniqueFd second(fds[1]);
  if (received == Received::kNothing) {
    return {};
  }
  if (received != Received::kMessage) {
    over_ = true;
    return {};
  }
  switch (message.kind) {
    case SetupMessageKind::kFailed:
      return Fail(StepError(plan_, message));
    case SetupMessageKind::kNote:
      options_.on_warning(std::string(Describe(message.step)) +
                          SubjectOf(plan_, message.step, message.index) +
                          " was left out: " + std::strerror(message.value));
      return {};
    case SetupMessageKind::kConfined:
      return Confined(std::move(first), std::move(second));
    case SetupMessageKind::kSocket:
      forwarder_.TakeSocket(message.index, std::move(first));
      return {};
    case SetupMessageKind::kNotExecuted:
      outcome_ = NotExecuted{message.value};
      over_ = true;
      return {};
    case SetupMessageKind::kEnded:
      outcome_ = WIFSIGNALED(message.value) ? Outcome(Signaled{WTERMSIG(message.value)})
                                            : Outcome(Exited{WEXITSTATUS(message.value)});
      over_ = true;
      return {};
    default:
      return Fail(MakeError(ErrorCode::kInternal, "an unexpected message from the sandbox"));
  }
}

void Supervisor::ForwardSignals() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    // What the terminal sends goes to its whole foreground group, the workload included.
    if (info.ssi_code != SI_KERNEL && workload_.valid()) {
      (void)::syscall(SYS_pidfd_send_signal, workload_.get(), info.ssi_signo, nullptr, 0);
    } else if (!workload_.valid()) {
      over_ = true;  // asked to end while the sandbox was still being made
      outcome_ = Signaled{static_cast<int>(info.ssi_signo)};
    }
  }
}

Status Supervisor::HandleNotifications(short events) {
  if ((events & POLLIN) != 0) {
    return notifier_->HandleOne();
  }
  if ((events & (POLLHUP | POLLERR)) != 0) {
    notifier_open_ = false;  // the last task under the filter is gone
  }
  return {};
}

void Supervisor::Kill() {
  if (!init_.valid()) {
    return;
  }
  (void)::syscall(SYS_pidfd_send_signal, init_.get(), SIGKILL, nullptr, 0);
  // The kernel reports it only after everything in its pid namespace is dead (pid_namespaces(7)).
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(init_.get()), &info, WEXITED) != 0 && errno == EINTR) {
  }
  init_.Reset();
}

Expected<SandboxResult> Supervisor::Run(UniqueFd signals) {
  signals_ = std::move(signals);
  while (!over_) {
    // poll(2) ignores negative descriptors. Connections wait in the backlog until the workload is
    // confined: before that the sandbox's first process takes no request for a socket.
    std::array<pollfd, 4> waits{{{channel_.get(), POLLIN, 0},
                                 {signals_.get(), POLLIN, 0},
                                 {notifier_open_ ? notifier_->fd() : -1, POLLIN, 0},
                                 {workload_.valid() ? forwarder_.fd() : -1, POLLIN, 0}}};
    if (::poll(waits.data(), waits.size(), -1) < 0) {
      const int poll_errno = errno;
      if (poll_errno != EINTR) {
        return Fail(SystemError(poll_errno, "poll"));
      }
      continue;
    }
    if (waits[1].revents != 0) {
      ForwardSignals();
    }
    if (waits[2].revents != 0) {
      RETURN_IF_ERROR(HandleNotifications(waits[2].revents));
    }
    if (waits[3].revents != 0) {
      forwarder_.HandleEvents();
    }
    if (waits[0].revents != 0) {
      RETURN_IF_ERROR(TakeMessage());
    }
  }
  Kill();
  SandboxResult result;
  result.outcome = outcome_;
  if (notifier_) {
    result.violations = notifier_->violations();
    result.unreported_violations = notifier_->unreported();
  }
  return result;
}

std::string CgroupName() {
  static unsigned sequence = 0;
  return "cordon-" + std::to_string(::getpid()) + "-" + std::to_string(sequence++);
}

}  // namespace

Expected<SandboxResult> RunSandbox(const LaunchPlan& plan, const SandboxOptions& options) {
  ASSIGN_OR_RETURN(PortForwarder forwarder, PortForwarder::Listen(options.published));
  ASSIGN_OR_RETURN(const SharedHandover handover, SharedHandover::Create());
  SignalMask signals;
  std::vector<std::string> warnings;
  // Before the supervisor, so that they are removed after its processes are gone.
  ASSIGN_OR_RETURN(
      const SandboxCgroups cgroups,
      SandboxCgroups::Create(plan.cgroups, CgroupName(), options.limits_held, warnings));
  for (const std::string& warning : warnings) {
    options.on_warning(warning);
  }
  Supervisor supervisor(plan, options, std::move(forwarder));
  RETURN_IF_ERROR(supervisor.Start(cgroups, handover.page(), signals));
  ASSIGN_OR_RETURN(UniqueFd signal_fd, signals.Supervise());
  Expected<SandboxResult> result = supervisor.Run(std::move(signal_fd));
  if (options.late_signals == LateSignals::kIgnored) {
    SignalMask::IgnoreHandled();
  }
  return result;
}

}  // namespace cordon
