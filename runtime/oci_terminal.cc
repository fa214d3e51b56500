#include "runtime/oci_terminal.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/text.h"

namespace cordon {
namespace {

Status SendFirst(int socket, int file, const std::string& text, std::size_t& sent) {
  iovec part{const_cast<char*>(text.data()), text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  cmsghdr* attached = CMSG_FIRSTHDR(&header);
  attached->cmsg_level = SOL_SOCKET;
  attached->cmsg_type = SCM_RIGHTS;
  attached->cmsg_len = CMSG_LEN(sizeof file);
  std::memcpy(CMSG_DATA(attached), &file, sizeof file);
  const ssize_t length = ::sendmsg(socket, &header, MSG_NOSIGNAL);
  if (length < 0) {
    const int send_errno = errno;
    return Fail(SystemError(send_errno, "sendmsg"));
  }
  sent = static_cast<std::size_t>(length);
  return {};
}

}  // namespace

Status SendToSocket(const std::string& path, int file, const std::string& text) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Fail(InvalidInput("the socket " + Quote(path) + ": the path is too long"));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid() ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int connect_errno = errno;
    return Fail(SystemError(connect_errno, "the socket " + Quote(path)));
  }
  std::size_t sent = 0;
  if (const Status first = SendFirst(socket.get(), file, text, sent); !first) {
    return Fail(first.error().WithContext("the socket " + Quote(path)));
  }
  while (sent < text.size()) {
    const ssize_t length =
        ::send(socket.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (length < 0) {
      const int send_errno = errno;
      return Fail(SystemError(send_errno, "the socket " + Quote(path)));
    }
    sent += static_cast<std::size_t>(length);
  }
  return {};
}

}  // namespace cordon
