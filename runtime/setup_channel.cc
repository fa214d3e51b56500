#include "runtime/setup_channel.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace cordon {

int SendSetupMessage(int socket, const SetupMessage& message, std::span<const int> fds) {
  iovec part{const_cast<SetupMessage*>(&message), sizeof message};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxSetupFds)> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!fds.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* attached = CMSG_FIRSTHDR(&header);
    attached->cmsg_level = SOL_SOCKET;
    attached->cmsg_type = SCM_RIGHTS;
    attached->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(attached), fds.data(), fds.size_bytes());
  }
  while (::sendmsg(socket, &header, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

Received ReceiveSetupMessage(int socket, SetupMessage& message, std::span<int, kMaxSetupFds> fds,
                             int flags) {
  std::ranges::fill(fds, -1);
  iovec part{&message, sizeof message};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxSetupFds)> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t length = 0;
  do {
    length = ::recvmsg(socket, &header, flags | MSG_CMSG_CLOEXEC);
  } while (length < 0 && errno == EINTR);
  if (length == 0) {
    return Received::kClosed;
  }
  if (length < 0) {
    return errno == EAGAIN       ? Received::kNothing
           : errno == ECONNRESET ? Received::kClosed
                                 : Received::kError;
  }
  const cmsghdr* attached = CMSG_FIRSTHDR(&header);
  if (attached != nullptr && attached->cmsg_level == SOL_SOCKET &&
      attached->cmsg_type == SCM_RIGHTS) {
    const std::size_t bytes = std::min(attached->cmsg_len - CMSG_LEN(0), fds.size_bytes());
    std::memcpy(fds.data(), CMSG_DATA(attached), bytes);
  }
  return length == sizeof message ? Received::kMessage : Received::kError;
}

}  // namespace cordon
