#include "observe/socket_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/unique_fd.h"

namespace cordon {
namespace {

/// The first sizeof(T) bytes as a T; missing ones are zero.
template <typename T>
T As(std::span<const std::byte> bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
  return value;
}

Error TooShort() {
  return InvalidInput("a socket address is too short for its family");
}

Expected<SocketAddress> DecodeInet(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(sockaddr_in)) {
    return Fail(TooShort());
  }
  const auto inet = As<sockaddr_in>(bytes);
  std::array<char, INET_ADDRSTRLEN> text{};
  (void)::inet_ntop(AF_INET, &inet.sin_addr, text.data(), text.size());
  return SocketAddress{.family = AF_INET, .address = text.data(), .port = ntohs(inet.sin_port)};
}

Expected<SocketAddress> DecodeInet6(std::span<const std::byte> bytes) {
  constexpr std::size_t kWithoutScope = 24;  // SIN6_LEN_RFC2133 in net/ipv6/af_inet6.c
  if (bytes.size() < kWithoutScope) {
    return Fail(TooShort());
  }
  const auto inet = As<sockaddr_in6>(bytes);
  std::array<char, INET6_ADDRSTRLEN> text{};
  (void)::inet_ntop(AF_INET6, &inet.sin6_addr, text.data(), text.size());
  return SocketAddress{.family = AF_INET6, .address = text.data(), .port = ntohs(inet.sin6_port)};
}

SocketAddress DecodeUnix(std::span<const std::byte> bytes) {
  SocketAddress decoded{.family = AF_UNIX, .address = {}, .port = 0};
  const std::span<const std::byte> path = bytes.subspan(offsetof(sockaddr_un, sun_path));
  const std::string_view text(reinterpret_cast<const char*>(path.data()), path.size());
  if (text.empty()) {
    return decoded;  // autobind, or an unnamed peer (unix(7))
  }
  if (text.front() == '\0') {
    decoded.address = fmt::format("@{}", text.substr(1));
  } else {
    decoded.address = text.substr(0, text.find('\0'));
  }
  return decoded;
}

}  // namespace

Expected<SocketAddress> DecodeSocketAddress(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(sa_family_t)) {
    return Fail(TooShort());
  }
  const int family = As<sa_family_t>(bytes);
  switch (family) {
    case AF_INET:
      return DecodeInet(bytes);
    case AF_INET6:
      return DecodeInet6(bytes);
    case AF_UNIX:
      return DecodeUnix(bytes);
    case AF_VSOCK: {
      const auto vsock = As<sockaddr_vm>(bytes);
      return SocketAddress{.family = family,
                           .address = fmt::format("{}:{}", vsock.svm_cid, vsock.svm_port),
                           .port = 0};
    }
    default:
      return SocketAddress{.family = family, .address = {}, .port = 0};
  }
}

namespace {

/// A descriptor of our own for the open file behind another process's.
Expected<UniqueFd> CopyDescriptor(pid_t process, int fd) {
  const UniqueFd owner(static_cast<int>(::syscall(SYS_pidfd_open, process, 0U)));
  if (!owner.valid()) {
    return Fail(SystemError(errno, "pidfd_open"));
  }
  UniqueFd copy(static_cast<int>(::syscall(SYS_pidfd_getfd, owner.get(), fd, 0U)));
  if (!copy.valid()) {
    return Fail(SystemError(errno, "pidfd_getfd"));
  }
  return copy;
}

Expected<int> IntegerOption(const UniqueFd& socket, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  if (::getsockopt(socket.get(), SOL_SOCKET, option, &value, &size) != 0) {
    return Fail(SystemError(errno, "getsockopt"));
  }
  return value;
}

Expected<SocketIdentity> Identify(const UniqueFd& socket) {
  SocketIdentity identity;
  ASSIGN_OR_RETURN(identity.family, IntegerOption(socket, SO_DOMAIN));
  ASSIGN_OR_RETURN(identity.type, IntegerOption(socket, SO_TYPE));
  ASSIGN_OR_RETURN(identity.protocol, IntegerOption(socket, SO_PROTOCOL));
  return identity;
}

using GetName = int (*)(int, sockaddr*, socklen_t*);

std::optional<SocketAddress> NameOf(const UniqueFd& socket, GetName get_name) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (get_name(socket.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
    return std::nullopt;
  }
  const auto bytes = std::as_bytes(std::span(&storage, 1));
  Expected<SocketAddress> address =
      DecodeSocketAddress(bytes.first(std::min<std::size_t>(length, bytes.size())));
  const bool named = address.has_value() && (!address->address.empty() || address->port != 0);
  return named ? std::optional(*std::move(address)) : std::nullopt;
}

}  // namespace

Expected<SocketIdentity> IdentifySocket(pid_t process, int fd) {
  ASSIGN_OR_RETURN(const UniqueFd copy, CopyDescriptor(process, fd));
  return Identify(copy);
}

Expected<OpenSocket> DescribeSocket(pid_t process, int fd) {
  ASSIGN_OR_RETURN(const UniqueFd copy, CopyDescriptor(process, fd));
  OpenSocket socket;
  ASSIGN_OR_RETURN(socket.identity, Identify(copy));
  socket.bound = NameOf(copy, ::getsockname);
  socket.peer = NameOf(copy, ::getpeername);
  socket.listens = IntegerOption(copy, SO_ACCEPTCONN).value_or(0) != 0;
  return socket;
}

}  // namespace cordon
