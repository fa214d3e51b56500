#include "runtime/published_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "model/ipv4_address.h"

namespace cordon {

std::string HostSide(const PublishedPort& port) {
  return (port.address == 0 ? "" : Ipv4AddressText(port.address) + ":") +
         std::to_string(port.host) + (port.transport == Transport::kUdp ? "/udp" : "");
}

Expected<UniqueFd> TakeHostPort(const PublishedPort& port) {
  constexpr int kBacklog = 1024;
  const bool stream = port.transport == Transport::kTcp;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port.host);
  address.sin_addr.s_addr = htonl(port.address);
  UniqueFd socket(
      ::socket(AF_INET, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (!socket.valid() ||
      (stream && ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      (stream && ::listen(socket.get(), kBacklog) != 0)) {
    const int socket_errno = errno;
    return Fail(SystemError(socket_errno, "publishing port " + HostSide(port) + " of the host"));
  }
  return socket;
}

}  // namespace cordon
