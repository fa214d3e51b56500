#include "cli/oci/oci_monitor_link.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "runtime/setup_channel.h"

namespace cordon::cli {
namespace {

constexpr int kAnswerMs = 30'000;
constexpr int kEndMs = 5'000;

Error MonitorGone() {
  return MakeError(ErrorCode::kSystem,
                   "the container's monitor has ended, which reports what its policy refuses");
}

int Await(int socket, int most_ms) {
  pollfd wait{socket, POLLIN, 0};
  int ready = 0;
  while ((ready = ::poll(&wait, 1, most_ms)) < 0 && errno == EINTR) {
  }
  return ready;
}

Expected<SetupMessage> Receive(int socket, SetupMessageKind kind, UniqueFd& descriptor) {
  SetupMessage message;
  std::array<int, kMaxSetupFds> fds{};
  if (Await(socket, kAnswerMs) <= 0) {
    return Fail(SystemError(ETIMEDOUT, "asking the container's monitor"));
  }
  const Received received = ReceiveSetupMessage(socket, message, fds, MSG_DONTWAIT);
  const int receive_errno = errno;
  descriptor.Reset(fds[0]);
  if (received == Received::kClosed) {
    return Fail(MonitorGone());
  }
  if (received != Received::kMessage || message.kind != kind) {
    return Fail(SystemError(received == Received::kMessage ? EPROTO : receive_errno,
                            "hearing the container's monitor"));
  }
  return message;
}

}  // namespace

Expected<MonitorLink> MonitorLink::Open(const OciFolder& folder) {
  ASSIGN_OR_RETURN(UniqueFd socket, folder.ConnectToMonitor());
  UniqueFd ruleset;
  ASSIGN_OR_RETURN(const SetupMessage hello,
                   Receive(socket.get(), SetupMessageKind::kRuleset, ruleset));
  return MonitorLink(std::move(socket), hello.value != 0, std::move(ruleset));
}

Status MonitorLink::Watch(pid_t process, const UniqueFd& listener) const {
  const SetupMessage request{SetupMessageKind::kConfined, LaunchStep::kNone, process, 0};
  const std::array<int, 1> fds{listener.get()};
  const int error = listener.valid() ? SendSetupMessage(socket_.get(), request, fds)
                                     : SendSetupMessage(socket_.get(), request);
  if (error != 0) {
    return Fail(MonitorGone());
  }
  UniqueFd none;
  const Expected<SetupMessage> answer = Receive(socket_.get(), SetupMessageKind::kGo, none);
  return answer ? Status() : Fail(answer.error());
}

void MonitorLink::AwaitEnd() const {
  (void)Await(socket_.get(), kEndMs);
}

TakeListener ListenerTaker(const OciSpec& spec, const OciRecord& record,
                           const std::optional<MonitorLink>& monitor) {
  if (!monitor || !monitor->listens()) {
    return ListenerForAgent(spec, record);
  }
  return [&link = *monitor](UniqueFd listener, pid_t pid) { return link.Watch(pid, listener); };
}

}  // namespace cordon::cli
