#include "common/readiness.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include "common/text.h"

namespace cordon {
namespace {

/// An abstract datagram socket: reachable from any root, and gone with its owner.
Expected<UniqueFd> BindAbstract(std::string_view name) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) {
    return Fail(SystemError(errno, "make a socket"));
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(&address.sun_path[1], sizeof address.sun_path - 1);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) {
    return Fail(SystemError(errno, "bind the readiness socket"));
  }
  return fd;
}

/// The next message; nothing when there is none. Descriptors that came with it are closed: that is
/// what the sender of sd_notify_barrier(3) waits for.
std::optional<std::string> TakeMessage(int socket) {
  std::array<char, 4096> text{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(253 * sizeof(int))> control{};  // SCM_MAX_FD
  iovec part{.iov_base = text.data(), .iov_len = text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t length = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (length < 0) {
    return std::nullopt;
  }
  for (cmsghdr* item = CMSG_FIRSTHDR(&message); item != nullptr;
       item = CMSG_NXTHDR(&message, item)) {
    if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_RIGHTS) {
      const std::size_t count = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(item) + (i * sizeof fd), sizeof fd);
        (void)::close(fd);
      }
    }
  }
  return std::string(text.data(), static_cast<std::size_t>(length));
}

Status SignalOnInput(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (::fcntl(fd, F_SETOWN, ::getpid()) != 0 ||
      ::fcntl(fd, F_SETFL, flags | O_NONBLOCK | O_ASYNC) != 0) {
    return Fail(SystemError(errno, "watch the readiness descriptor"));
  }
  return {};
}

}  // namespace

Expected<Readiness> Readiness::OpenWithoutSocket() {
  Readiness readiness;
  ASSIGN_OR_RETURN(readiness.pipe_, MakePipe());
  const int read_end = readiness.pipe_.read_end.get();
  if (::fcntl(read_end, F_SETFL, ::fcntl(read_end, F_GETFL) | O_NONBLOCK) != 0) {
    return Fail(SystemError(errno, "prepare the readiness descriptor"));
  }
  std::uint64_t random = 0;
  (void)::getrandom(&random, sizeof random, 0);  // does not fail for so few bytes (getrandom(2))
  readiness.address_ = fmt::format("@cordon-notify-{:016x}", random);
  return readiness;
}

Expected<Readiness> Readiness::Open() {
  ASSIGN_OR_RETURN(Readiness readiness, OpenWithoutSocket());
  ASSIGN_OR_RETURN(readiness.socket_, BindAbstract(readiness.address_.substr(1)));
  return readiness;
}

std::vector<std::string> Readiness::Environment() const {
  return {fmt::format("NOTIFY_FD={}", descriptor()), "NOTIFY_SOCKET=" + address_};
}

Status Readiness::Arm() {
  RETURN_IF_ERROR(SignalOnInput(pipe_.read_end.get()));
  return SignalOnInput(socket_.get());
}

bool Readiness::Ready() {
  std::array<char, 4096> bytes{};
  const ssize_t length =
      pipe_.read_end.valid() ? ::read(pipe_.read_end.get(), bytes.data(), bytes.size()) : -1;
  ready_ |= length > 0;
  if (length == 0) {
    pipe_.read_end.Reset();  // everybody has closed it
  }
  // Bounded: a workload that never stops sending must not keep this busy.
  constexpr int kMaxMessages = 1024;
  for (int i = 0; i < kMaxMessages && socket_.valid(); ++i) {
    const std::optional<std::string> message = TakeMessage(socket_.get());
    if (!message) {
      break;
    }
    const std::vector<std::string> lines = Split(*message, '\n');
    ready_ |= std::ranges::find(lines, "READY=1") != lines.end();
  }
  return ready_;
}

}  // namespace cordon
