#include "runtime/control_channel.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

namespace cordon {
namespace {

constexpr int kFirstOrdinary = 3;
constexpr int kPatienceMs = 10'000;

Error TooLong() {
  return MakeError(ErrorCode::kLimit, "a message on a control socket may have " +
                                          std::to_string(kMaxControlMessageBytes) + " bytes");
}

/// The descriptors that came with `header`, owned.
std::vector<UniqueFd> TakeDescriptors(msghdr& header) {
  std::vector<UniqueFd> fds;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
      continue;
    }
    std::array<int, kMaxControlFds> numbers{};
    const std::size_t bytes = std::min(part->cmsg_len - CMSG_LEN(0), sizeof numbers);
    std::memcpy(numbers.data(), CMSG_DATA(part), bytes);
    for (const int number : std::span(numbers).first(bytes / sizeof(int))) {
      UniqueFd fd(number);
      if (number < kFirstOrdinary) {
        fd = UniqueFd(::fcntl(number, F_DUPFD_CLOEXEC, kFirstOrdinary));
      }
      fds.push_back(std::move(fd));
    }
  }
  return fds;
}

}  // namespace

Status SendControlMessage(int socket, std::string_view text, const std::vector<int>& fds) {
  if (text.size() > kMaxControlMessageBytes || fds.size() > kMaxControlFds) {
    return Fail(TooLong());
  }
  iovec part{const_cast<char*>(text.data()), text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxControlFds)> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!fds.empty()) {
    const std::size_t bytes = fds.size() * sizeof(int);
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* attached = CMSG_FIRSTHDR(&header);
    attached->cmsg_level = SOL_SOCKET;
    attached->cmsg_type = SCM_RIGHTS;
    attached->cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(attached), fds.data(), bytes);
  }
  while (::sendmsg(socket, &header, MSG_NOSIGNAL) < 0) {
    const int send_errno = errno;
    // The second for a connection that was never accepted.
    if (send_errno == EPIPE || send_errno == ECONNRESET) {
      return Fail(MakeError(ErrorCode::kNotFound, "the sandbox has ended"));
    }
    if (send_errno != EINTR) {
      return Fail(SystemError(send_errno, "the control socket"));
    }
  }
  return {};
}

Expected<ControlMessage> ReceiveControlMessage(int socket) {
  std::string text(kMaxControlMessageBytes, '\0');
  iovec part{text.data(), text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxControlFds)> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t length = 0;
  do {
    length = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  } while (length < 0 && errno == EINTR);
  if (length < 0) {
    const int receive_errno = errno;
    if (receive_errno == ECONNRESET) {
      return ControlMessage{};
    }
    return Fail(SystemError(receive_errno, "the control socket"));
  }
  ControlMessage message{{}, TakeDescriptors(header)};
  if ((header.msg_flags & MSG_TRUNC) != 0) {
    return Fail(TooLong());
  }
  text.resize(static_cast<std::size_t>(length));
  message.text = std::move(text);
  return message;
}

Expected<UniqueFd> SupervisorOf(int socket) {
  ucred peer{};
  socklen_t length = sizeof peer;
  UniqueFd process;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0) {
    process = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, peer.pid, 0)));
  }
  if (!process.valid()) {
    const int open_errno = errno;
    return Fail(open_errno == ESRCH ? MakeError(ErrorCode::kNotFound, "the sandbox has ended")
                                    : SystemError(open_errno, "the sandbox's supervisor"));
  }
  return process;
}

Expected<ControlReply> AskSupervisor(int socket, const ControlRequest& request,
                                     const std::vector<int>& fds) {
  RETURN_IF_ERROR(SendControlMessage(socket, WriteControlRequest(request), fds));
  pollfd wait{socket, POLLIN, 0};
  if (::poll(&wait, 1, kPatienceMs) == 0) {
    return Fail(MakeError(ErrorCode::kSystem,
                          "the sandbox's supervisor does not answer: has it been stopped?"));
  }
  ASSIGN_OR_RETURN(const ControlMessage message, ReceiveControlMessage(socket));
  if (message.text.empty()) {
    return Fail(MakeError(ErrorCode::kNotFound, "the sandbox has ended"));
  }
  ASSIGN_OR_RETURN(ControlReply reply, ReadControlReply(message.text, "the supervisor's reply"));
  if (!reply.error.empty()) {
    return Fail(MakeError(ErrorCode::kUnsupported, reply.error));
  }
  return reply;
}

}  // namespace cordon
