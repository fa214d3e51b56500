#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "common/error.h"

namespace cordon {

/// What a struct sockaddr says.
struct SocketAddress {
  int family = 0;       ///< AF_*
  std::string address;  ///< "127.0.0.1", "::1"; AF_UNIX: the path, '@' first when abstract, empty
                        ///< when unnamed; else what tells peers apart
  std::uint16_t port = 0;  ///< host byte order
  bool operator==(const SocketAddress&) const = default;
};

/// Largest struct sockaddr (unix(7), socket(7)).
inline constexpr std::size_t kMaxSocketAddressBytes = 128;

/// Decodes the bytes that a program passed as struct sockaddr. Fails with kInvalidInput when they
/// are too short for their family.
Expected<SocketAddress> DecodeSocketAddress(std::span<const std::byte> bytes);

/// What socket(2) made, as the kernel tells (SO_DOMAIN, SO_TYPE, SO_PROTOCOL; socket(7)).
struct SocketIdentity {
  int family = 0;
  int type = 0;  ///< SOCK_* without flags
  int protocol = 0;
  bool operator==(const SocketIdentity&) const = default;
};

/// What the socket `fd` of process `process` (a thread group id) is, by pidfd_getfd(2) (Linux 5.6,
/// needs ptrace access). Fails with ENOTSOCK for another kind of file.
Expected<SocketIdentity> IdentifySocket(pid_t process, int fd);

/// A socket as it stands.
struct OpenSocket {
  SocketIdentity identity;
  std::optional<SocketAddress> bound;  ///< nothing when it has no name
  std::optional<SocketAddress> peer;   ///< nothing when it is not connected
  bool listens = false;
};

/// The same with its addresses (getsockname(2), getpeername(2), SO_ACCEPTCONN).
Expected<OpenSocket> DescribeSocket(pid_t process, int fd);

}  // namespace cordon
