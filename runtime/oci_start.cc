#include "runtime/oci_start.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "runtime/oci_create.h"
#include "runtime/oci_page.h"
#include "runtime/oci_terminal.h"
#include "runtime/rlimit_names.h"
#include "runtime/setup_channel.h"

namespace cordon {
namespace {

Expected<UniqueFd> ListenerOf(HandoverPage& page, pid_t pid) {
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  UniqueFd listener(
      static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), page.listener.load(), 0)));
  if (!listener.valid()) {
    const int get_errno = errno;
    return Fail(SystemError(get_errno, "taking the container's seccomp listener"));
  }
  return listener;
}

Status HandListenerOn(HandoverPage& page, pid_t pid, const TakeListener& take_listener) {
  ASSIGN_OR_RETURN(UniqueFd listener, ListenerOf(page, pid));
  return take_listener(std::move(listener), pid);
}

bool HasEnded(int socket) {
  char byte = 0;
  const ssize_t length = ::recv(socket, &byte, 1, MSG_DONTWAIT);
  return length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR);
}

OciProcessPlan PlanForWords(const OciSpec& spec) {
  OciProcessPlan plan;
  if (spec.process) {
    plan.arguments = spec.process->arguments;
    plan.working_directory = spec.process->working_directory;
    plan.uid = spec.process->user.uid;
  }
  return plan;
}

Status SetRlimits(pid_t pid, const std::vector<Rlimit>& limits) {
  std::vector<RlimitStep> steps;
  steps.reserve(limits.size());
  for (const Rlimit& limit : limits) {
    steps.push_back({RlimitNumber(limit.type).value_or(-1), {limit.soft, limit.hard}, limit.type});
  }
  return SetRlimitsOf(pid, steps);
}

}  // namespace

TakeListener ListenerForAgent(const OciSpec& spec, const OciRecord& record) {
  if (!spec.seccomp || spec.seccomp->listener_path.empty()) {
    return {};
  }
  return [&seccomp = *spec.seccomp, &record](UniqueFd listener, pid_t pid) -> Status {
    const Status sent = SendToSocket(
        seccomp.listener_path, listener.get(),
        WriteOciProcessState(record, OciStatus::kCreating, pid, seccomp.listener_metadata));
    return sent ? sent : Fail(sent.error().WithContext("linux.seccomp.listenerPath"));
  };
}

Status SetRlimitsOf(pid_t pid, const std::vector<RlimitStep>& limits) {
  for (const RlimitStep& step : limits) {
    if (::syscall(SYS_prlimit64, pid, step.resource, &step.limit, nullptr) != 0) {
      const int limit_errno = errno;
      if (limit_errno == EPERM) {
        continue;
      }
      return Fail(SystemError(limit_errno, "process.rlimits: " + step.name));
    }
  }
  return {};
}

Status AwaitOciExecution(int socket, HandoverPage& page, const OciProcessPlan& plan,
                         const TakeListener& take_listener, pid_t pid) {
  bool handed_on = false;
  const bool may_listen = static_cast<bool>(take_listener);
  while (!HasEnded(socket)) {
    pollfd wait{socket, POLLIN, 0};
    constexpr int kListenerPollMs = 1;
    (void)::poll(&wait, 1, may_listen && !handed_on ? kListenerPollMs : -1);
    if (may_listen && !handed_on && page.listener.load() >= 0) {
      if (const Status handed = HandListenerOn(page, pid, take_listener); !handed) {
        (void)::kill(pid, SIGKILL);
        return handed;
      }
      handed_on = true;
      page.go.store(HandoverPage::kExecute);
    }
  }
  if (page.state.load() == HandoverPage::kFailed) {
    return Fail(
        DescribeOciProcessFailure(plan, {page.failed_step, page.failed_errno, page.failed_index}));
  }
  return {};
}

Status StartOciContainer(const OciFolder& folder, const OciRecord& record, const OciSpec& spec,
                         const OciStartActions& actions) {
  Expected<UniqueFd> socket = folder.ConnectToStart();
  if (!socket) {
    folder.ForgetStart();
    return Fail(socket.error().code == ErrorCode::kNotFound
                    ? InvalidInput("the container is not waiting to be started")
                    : socket.error());
  }
  SetupMessage message;
  std::array<int, kMaxSetupFds> fds{};
  const Received received = ReceiveSetupMessage(socket->get(), message, fds);
  std::array<UniqueFd, kMaxSetupFds> owned{UniqueFd(fds[0]), UniqueFd(fds[1])};
  if (received != Received::kMessage) {
    return Fail(MakeError(ErrorCode::kSystem, "the container ended before its start"));
  }
  if (message.kind == SetupMessageKind::kFailed) {
    OciContainerPlan plan;
    plan.process = PlanForWords(spec);
    return Fail(DescribeOciFailure(plan, message).WithContext("startContainer"));
  }
  ASSIGN_OR_RETURN(const OciPage page, OciPage::Map(std::move(owned[0])));
  if (spec.process) {
    RETURN_IF_ERROR(SetRlimits(record.pid, spec.process->rlimits));
  }
  if (actions.before_go) {
    RETURN_IF_ERROR(actions.before_go());
  }
  // From here on it is no longer waiting, whatever becomes of this process.
  folder.ForgetStart();
  if (const int error =
          SendSetupMessage(socket->get(), {SetupMessageKind::kGo, LaunchStep::kNone, 0, 0});
      error != 0) {
    return Fail(SystemError(error, "the container's process"));
  }
  return AwaitOciExecution(socket->get(), page.page(), PlanForWords(spec), actions.take_listener,
                           record.pid);
}

}  // namespace cordon
