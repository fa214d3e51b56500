#include "generator/network_need.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <set>
#include <string>

namespace cordon {
namespace {

bool IsInternet(int family) {
  return family == AF_INET || family == AF_INET6;
}

bool IsLoopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

bool ExistsInEveryNamespace(const std::string& address) {
  return IsLoopback(address) || address == "0.0.0.0" || address == "::" || address.empty();
}

/// Did it succeed, or get under way?
bool CameAbout(const SocketObservation& socket) {
  return socket.results.contains(0) || socket.results.contains(EINPROGRESS);
}

bool IsAbstract(const SocketKey& key) {
  return key.family == AF_UNIX && key.address.starts_with('@');
}

/// What the workload itself serves.
struct Served {
  std::set<std::uint16_t> tcp;
  std::set<std::uint16_t> udp;
  std::set<std::string> abstract;
};

Served ServedBy(const Recording& recording) {
  Served served;
  for (const auto& [key, socket] : recording.sockets) {
    if (key.operation != SocketOperation::kBind || !CameAbout(socket)) {
      continue;
    }
    if (IsAbstract(key)) {
      served.abstract.insert(key.address);
    } else if (IsInternet(key.family) && key.port != 0) {
      (key.type == SOCK_STREAM ? served.tcp : served.udp).insert(key.port);
    }
  }
  return served;
}

/// Does this use of a socket need more than an empty namespace with a loopback interface?
bool NeedsHost(const SocketKey& key, const Served& served) {
  const bool outward =
      key.operation == SocketOperation::kConnect || key.operation == SocketOperation::kSend;
  if (IsAbstract(key)) {
    return outward && !served.abstract.contains(key.address);
  }
  if (!IsInternet(key.family)) {
    return false;
  }
  if (key.operation == SocketOperation::kBind) {
    return !ExistsInEveryNamespace(key.address) ||
           (key.type != SOCK_STREAM && key.port != 0 && !IsLoopback(key.address));
  }
  const std::set<std::uint16_t>& own = key.type == SOCK_STREAM ? served.tcp : served.udp;
  return outward && !(IsLoopback(key.address) && own.contains(key.port));
}

}  // namespace

NetworkNeed NetworkNeedOf(const Recording& recording) {
  const Served served = ServedBy(recording);
  NetworkNeed need;
  for (const auto& [key, socket] : recording.sockets) {
    if (CameAbout(socket) && NeedsHost(key, served)) {
      need.mode = NetworkMode::kHost;
      return need;
    }
  }
  for (const std::uint16_t port : served.tcp) {
    need.published.push_back({port, port});
  }
  return need;
}

}  // namespace cordon
