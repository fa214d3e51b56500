#include "runtime/held_workload.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <utility>

#include "common/file.h"
#include "common/text.h"
#include "runtime/capability_names.h"
#include "runtime/confinement_check.h"

namespace cordon {
namespace {

constexpr std::size_t kFdInfoLimit = 4096;

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
  // What clone(2) gives in a pid namespace whose first process has ended (pid_namespaces(7)).
  if (message.step == LaunchStep::kCloneWorkload && message.value == ENOMEM) {
    return MakeError(ErrorCode::kSystem,
                     "the sandbox has ended, or there is no memory for a process in it");
  }
  // The child died before it had a filter to hand over: nothing but SIGKILL does that, and the end
  // of the first process sends it.
  if (message.step == LaunchStep::kHandover && message.value == ECHILD) {
    return MakeError(ErrorCode::kSystem, "the sandbox has ended, or the command was killed");
  }
  std::string what =
      std::string(Describe(message.step)) + SubjectOf(plan, message.step, message.index);
  if ((message.step == LaunchStep::kMountTarget || message.step == LaunchStep::kConsole) &&
      message.value == ELOOP) {
    what += ", which is behind a symbolic link in the root file system";
  }
  return SystemError(message.value, std::move(what)).WithContext("the sandbox could not be made");
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

}  // namespace

Expected<UniqueFd> HeldWorkload::OpenChannel() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    const int socket_errno = errno;
    return Fail(SystemError(socket_errno, "socketpair"));
  }
  channel_.Reset(ends[0]);
  return UniqueFd(ends[1]);
}

void HeldWorkload::Proceed() {
  (void)SendSetupMessage(channel_.get(), {SetupMessageKind::kProceed, LaunchStep::kNone, 0, 0});
}

void HeldWorkload::RequestSocket(int family, std::uint32_t ticket) {
  (void)SendSetupMessage(channel_.get(),
                         {SetupMessageKind::kNeedSocket, LaunchStep::kNone, family, ticket});
}

Status HeldWorkload::Confined(UniqueFd workload, UniqueFd listener) {
  workload_ = std::move(workload);
  ASSIGN_OR_RETURN(pid_, PidOf(workload_));
  RETURN_IF_ERROR(CheckConfinementOf(pid_, plan_));
  if (plan_.listener) {
    if (!listener.valid()) {
      return Fail(MakeError(ErrorCode::kInternal, "the seccomp listener did not arrive"));
    }
    notifier_ = std::make_unique<SeccompNotifier>(
        std::move(listener), pid_, judge_, auditor_,
        SeccompNotifier::Reports{options_.on_violation, options_.on_audited, options_.on_warning});
    RETURN_IF_ERROR(notifier_->Prepare());
    notifier_open_ = true;
  }
  (void)SendSetupMessage(channel_.get(), {SetupMessageKind::kGo, LaunchStep::kNone, 0, 0});
  return {};
}

Status HeldWorkload::TakeMessage() {
  SetupMessage message;
  std::array<int, kMaxSetupFds> fds{};
  const Received received = ReceiveSetupMessage(channel_.get(), message, fds, MSG_DONTWAIT);
  UniqueFd first(fds[0]);
  UniqueFd second(fds[1]);
  if (received == Received::kNothing) {
    return {};
  }
  if (received != Received::kMessage) {
    outcome_ = Signaled{SIGKILL};  // the holder died without a word
    return {};
  }
  // Once the workload runs, it may have found a way to speak for the process that holds it: what
  // that one says of the launch is over.
  const bool of_launch = message.kind != SetupMessageKind::kSocket &&
                         message.kind != SetupMessageKind::kNotExecuted &&
                         message.kind != SetupMessageKind::kEnded;
  if (begun() && of_launch) {
    return Fail(MakeError(ErrorCode::kInternal, "an unexpected message from the sandbox"));
  }
  switch (message.kind) {
    case SetupMessageKind::kFailed:
      return Fail(StepError(plan_, message));
    case SetupMessageKind::kNote:
      options_.on_warning(std::string(Describe(message.step)) +
                          SubjectOf(plan_, message.step, message.index) +
                          " was left out: " + std::strerror(message.value));
      return {};
    case SetupMessageKind::kRuleset:
      ruleset_ = std::move(first);
      return {};
    case SetupMessageKind::kTimeNamespace:
      time_namespace_ = std::move(first);
      return {};
    case SetupMessageKind::kConfined:
      return Confined(std::move(first), std::move(second));
    case SetupMessageKind::kSocket:
      take_socket_(message.index, std::move(first));
      return {};
    case SetupMessageKind::kNotifySocket:
      take_notify_socket_(std::move(first));
      return {};
    case SetupMessageKind::kTerminal:
      if (take_terminal_) {
        take_terminal_(std::move(first));
      }
      return {};
    case SetupMessageKind::kNotExecuted:
      outcome_ = NotExecuted{message.value};
      return {};
    case SetupMessageKind::kEnded:
      outcome_ = WIFSIGNALED(message.value) ? Outcome(Signaled{WTERMSIG(message.value)})
                                            : Outcome(Exited{WEXITSTATUS(message.value)});
      return {};
    default:
      return Fail(MakeError(ErrorCode::kInternal, "an unexpected message from the sandbox"));
  }
}

Status HeldWorkload::HandleNotifications(short events) {
  if ((events & POLLIN) != 0) {
    return notifier_->HandleOne();
  }
  if ((events & (POLLHUP | POLLERR)) != 0) {
    notifier_open_ = false;  // the last task under the filter is gone
  }
  return {};
}

void HeldWorkload::Signal(int signal) const {
  if (workload_.valid()) {
    (void)::syscall(SYS_pidfd_send_signal, workload_.get(), signal, nullptr, 0);
  }
}

void HeldWorkload::BeginKill() const {
  Signal(SIGKILL);
  if (holder_.valid()) {
    (void)::syscall(SYS_pidfd_send_signal, holder_.get(), SIGKILL, nullptr, 0);
  }
}

void HeldWorkload::Kill() {
  if (!holder_.valid()) {
    return;
  }
  (void)::syscall(SYS_pidfd_send_signal, holder_.get(), SIGKILL, nullptr, 0);
  // The kernel reports the first process of a pid namespace only after everything in that is dead
  // (pid_namespaces(7)).
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(holder_.get()), &info, WEXITED) != 0 &&
         errno == EINTR) {
  }
  holder_.Reset();
}

}  // namespace cordon
