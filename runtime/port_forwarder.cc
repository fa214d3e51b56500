#include "runtime/port_forwarder.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "runtime/published_port.h"

namespace cordon {
namespace {

constexpr int kMaxEvents = 64;
constexpr std::size_t kBufferBytes = std::size_t{64} << 10;

/// Events of one connection carry its ticket and side; listeners carry ticket 0 and their index.
enum class Side : std::uint8_t { kListener, kOutside, kInside };

epoll_event EventFor(Side side, std::uint32_t number, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = static_cast<std::uint64_t>(side) << 32 | number;
  return event;
}

}  // namespace

struct PortForwarder::Listener {
  UniqueFd socket;
  PublishedPort port;
};

/// Bytes on their way in one direction.
struct Flow {
  std::vector<char> buffer;
  std::size_t begin = 0;  ///< of what is still to be written
  std::size_t end = 0;
  bool source_ended = false;
  bool shut_down = false;

  bool pending() const { return begin < end; }
};

struct PortForwarder::Connection {
  std::uint32_t ticket = 0;
  std::uint16_t port = 0;
  UniqueFd outside;
  UniqueFd inside;
  int family = AF_INET;
  bool connected = false;
  Flow inward;
  Flow outward;
  std::uint32_t outside_events = 0;
  std::uint32_t inside_events = 0;
};

namespace {

/// Moves what can be moved from `from` to `to`; false when the connection broke.
bool Move(Flow& flow, int from, int to) {
  for (;;) {
    if (!flow.pending() && !flow.source_ended) {
      const ssize_t length = ::recv(from, flow.buffer.data(), flow.buffer.size(), 0);
      if (length < 0) {
        return errno == EAGAIN || errno == EINTR;
      }
      flow.source_ended = length == 0;
      flow.begin = 0;
      flow.end = static_cast<std::size_t>(length);
    }
    while (flow.pending()) {
      const ssize_t length =
          ::send(to, flow.buffer.data() + flow.begin, flow.end - flow.begin, MSG_NOSIGNAL);
      if (length < 0) {
        return errno == EAGAIN || errno == EINTR;
      }
      flow.begin += static_cast<std::size_t>(length);
    }
    if (flow.source_ended) {
      if (!flow.shut_down) {
        flow.shut_down = true;
        (void)::shutdown(to, SHUT_WR);
      }
      return true;
    }
  }
}

}  // namespace

PortForwarder::PortForwarder() = default;
PortForwarder::PortForwarder(PortForwarder&&) noexcept = default;
PortForwarder::~PortForwarder() = default;

Expected<PortForwarder> PortForwarder::Listen(const std::vector<PublishedPort>& ports) {
  PortForwarder forwarder;
  if (ports.empty()) {
    return forwarder;
  }
  forwarder.epoll_.Reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!forwarder.epoll_.valid()) {
    const int epoll_errno = errno;
    return Fail(SystemError(epoll_errno, "epoll_create1"));
  }
  for (const PublishedPort& port : ports) {
    ASSIGN_OR_RETURN(UniqueFd socket, TakeHostPort(port));
    epoll_event event =
        EventFor(Side::kListener, static_cast<std::uint32_t>(forwarder.listeners_.size()), EPOLLIN);
    if (::epoll_ctl(forwarder.epoll_.get(), EPOLL_CTL_ADD, socket.get(), &event) != 0) {
      const int epoll_errno = errno;
      return Fail(SystemError(epoll_errno, "epoll_ctl"));
    }
    forwarder.listeners_.push_back({std::move(socket), port});
  }
  return forwarder;
}

void PortForwarder::Accept(const Listener& listener) {
  for (;;) {
    UniqueFd outside(
        ::accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!outside.valid()) {
      return;  // nobody waits any more, or no descriptor is left: the rest waits in the backlog
    }
    auto connection = std::make_unique<Connection>();
    connection->ticket = next_ticket_++;
    connection->port = listener.port.container;
    connection->outside = std::move(outside);
    connection->inward.buffer.resize(kBufferBytes);
    connection->outward.buffer.resize(kBufferBytes);
    const std::uint32_t ticket = connection->ticket;
    connections_[ticket] = std::move(connection);
    request_socket_(AF_INET, ticket);
  }
}

void PortForwarder::TakeSocket(std::uint32_t ticket, UniqueFd socket) {
  const auto found = connections_.find(ticket);
  if (found == connections_.end()) {
    return;
  }
  if (!socket.valid()) {
    connections_.erase(found);
    return;
  }
  found->second->inside = std::move(socket);
  Connect(*found->second);
  if (!found->second->outside.valid()) {
    connections_.erase(found);
  }
}

void PortForwarder::Connect(Connection& connection) {
  sockaddr_storage storage{};
  socklen_t length = 0;
  if (connection.family == AF_INET) {
    auto* const address = reinterpret_cast<sockaddr_in*>(&storage);
    address->sin_family = AF_INET;
    address->sin_port = htons(connection.port);
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    length = sizeof *address;
  } else {
    auto* const address = reinterpret_cast<sockaddr_in6*>(&storage);
    address->sin6_family = AF_INET6;
    address->sin6_port = htons(connection.port);
    address->sin6_addr = in6addr_loopback;
    length = sizeof *address;
  }
  if (::connect(connection.inside.get(), reinterpret_cast<const sockaddr*>(&storage), length) ==
      0) {
    Finish(connection);
  } else if (errno == EINPROGRESS) {
    epoll_event event = EventFor(Side::kInside, connection.ticket, EPOLLOUT);
    connection.inside_events = EPOLLOUT;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.inside.get(), &event) != 0) {
      connection.outside.Reset();
    }
  } else {
    TryNextAddress(connection);
  }
}

void PortForwarder::TryNextAddress(Connection& connection) {
  connection.inside.Reset();
  connection.inside_events = 0;
  if (connection.family == AF_INET6) {
    connection.outside.Reset();  // nobody listens inside: the client sees the connection closed
    return;
  }
  connection.family = AF_INET6;
  request_socket_(AF_INET6, connection.ticket);
}

void PortForwarder::Finish(Connection& connection) {
  connection.connected = true;
  Pump(connection);
}

void PortForwarder::Pump(Connection& connection) {
  const int outside = connection.outside.get();
  const int inside = connection.inside.get();
  if (!Move(connection.inward, outside, inside) || !Move(connection.outward, inside, outside) ||
      (connection.inward.shut_down && connection.outward.shut_down)) {
    connection.outside.Reset();
    return;
  }
  Watch(connection);
}

/// Level-triggered interest in exactly what can move something: a side that is not read from is not
/// waited for either.
void PortForwarder::Watch(Connection& connection) {
  const auto interest = [](const Flow& from_it, const Flow& to_it) -> std::uint32_t {
    return (!from_it.pending() && !from_it.source_ended ? std::uint32_t{EPOLLIN} : 0U) |
           (to_it.pending() ? std::uint32_t{EPOLLOUT} : 0U);
  };
  const auto update = [&](const UniqueFd& socket, Side side, std::uint32_t wanted,
                          std::uint32_t& current) {
    if (wanted == current) {
      return true;
    }
    epoll_event event = EventFor(side, connection.ticket, wanted);
    const int operation = current == 0  ? EPOLL_CTL_ADD
                          : wanted == 0 ? EPOLL_CTL_DEL
                                        : EPOLL_CTL_MOD;
    current = wanted;
    return ::epoll_ctl(epoll_.get(), operation, socket.get(), &event) == 0;
  };
  if (!update(connection.outside, Side::kOutside, interest(connection.inward, connection.outward),
              connection.outside_events) ||
      !update(connection.inside, Side::kInside, interest(connection.outward, connection.inward),
              connection.inside_events)) {
    connection.outside.Reset();
  }
}

void PortForwarder::HandleEvents() {
  std::array<epoll_event, kMaxEvents> events{};
  const int count = ::epoll_wait(epoll_.get(), events.data(), kMaxEvents, 0);
  for (int i = 0; i < count; ++i) {
    const std::uint64_t data = events[static_cast<std::size_t>(i)].data.u64;
    const auto side = static_cast<Side>(data >> 32);
    const auto number = static_cast<std::uint32_t>(data);
    if (side == Side::kListener) {
      Accept(listeners_[number]);
      continue;
    }
    const auto found = connections_.find(number);
    if (found == connections_.end()) {
      continue;  // ended by an earlier event of this round
    }
    Connection& connection = *found->second;
    if (connection.connected) {
      Pump(connection);
    } else {
      int error = 0;
      socklen_t length = sizeof error;
      if (::getsockopt(connection.inside.get(), SOL_SOCKET, SO_ERROR, &error, &length) == 0 &&
          error == 0) {
        Finish(connection);
      } else {
        TryNextAddress(connection);
      }
    }
    if (!connection.outside.valid()) {
      connections_.erase(found);
    }
  }
}

}  // namespace cordon
