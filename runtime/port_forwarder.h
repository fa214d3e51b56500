#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "common/error.h"
#include "common/unique_fd.h"
#include "model/sandbox_config.h"

namespace cordon {

/// Published TCP ports without any privilege: accepts on the host and carries the bytes to a socket
/// inside the sandbox's network namespace, which the sandbox's first process makes on request.
/// Connects there to 127.0.0.1, then to ::1. Single-threaded: everything happens in HandleEvents.
class PortForwarder {
 public:
  /// Asks for one TCP socket of `family` inside; the answer comes to TakeSocket with the same
  /// `ticket`.
  using RequestSocket = std::function<void(int family, std::uint32_t ticket)>;

  PortForwarder();
  PortForwarder(PortForwarder&&) noexcept;
  PortForwarder& operator=(PortForwarder&&) = delete;
  PortForwarder(const PortForwarder&) = delete;
  PortForwarder& operator=(const PortForwarder&) = delete;
  ~PortForwarder();

  /// Takes every host port; `ports` are TCP's. Fails naming the port.
  static Expected<PortForwarder> Listen(const std::vector<PublishedPort>& ports);

  void SetRequestSocket(RequestSocket request) { request_socket_ = std::move(request); }

  /// Readable when HandleEvents has something to do; -1 without ports.
  int fd() const { return epoll_.get(); }

  void HandleEvents();

  /// The answer to a request; an empty `socket` means that none could be made.
  void TakeSocket(std::uint32_t ticket, UniqueFd socket);

 private:
  struct Listener;
  struct Connection;

  void Accept(const Listener& listener);
  void Connect(Connection& connection);
  void Finish(Connection& connection);
  void Pump(Connection& connection);
  void Watch(Connection& connection);
  void TryNextAddress(Connection& connection);

  UniqueFd epoll_;
  std::vector<Listener> listeners_;
  std::map<std::uint32_t, std::unique_ptr<Connection>> connections_;
  RequestSocket request_socket_;
  std::uint32_t next_ticket_ = 1;
};

}  // namespace cordon
