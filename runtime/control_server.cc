#include "runtime/control_server.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "runtime/guard.h"

namespace cordon {
namespace {

/// More of them wait to be accepted.
constexpr std::size_t kMaxClients = 256;

/// Whether the process at the other end may give orders. What runs in the sandbox may have this
/// user's id, but never this pid namespace: the kernel shows its number there as 0 to us, or it is
/// in a namespace below.
bool MayAsk(int socket) {
  if (!Holds(Guard::kControlPeer)) {
    return true;
  }
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 || peer.pid <= 0 ||
      (peer.uid != ::geteuid() && peer.uid != 0)) {
    return false;
  }
  std::array<char, 64> own{};
  std::array<char, 64> theirs{};
  const std::string link = fmt::format("/proc/{}/ns/pid", peer.pid);
  const ssize_t own_length = ::readlink("/proc/self/ns/pid", own.data(), own.size());
  const ssize_t their_length = ::readlink(link.c_str(), theirs.data(), theirs.size());
  return own_length > 0 && own_length == their_length && own == theirs;
}

short EventsOf(const std::vector<pollfd>& waits, int fd) {
  const auto found =
      std::ranges::find_if(waits, [&](const pollfd& wait) { return fd >= 0 && wait.fd == fd; });
  return found == waits.end() ? short{0} : found->revents;
}

}  // namespace

void ControlServer::AddWaits(std::vector<pollfd>& waits) const {
  waits.push_back({clients_.size() < kMaxClients ? listener_ : -1, POLLIN, 0});
  for (const auto& client : clients_) {
    if (client->gone) {
      waits.push_back({client->entered->held().holder(), POLLIN, 0});
      continue;
    }
    waits.push_back({client->socket.get(), POLLIN, 0});
    if (client->entered) {
      waits.push_back({client->entered->held().channel(), POLLIN, 0});
      waits.push_back({client->entered->held().notifications(), POLLIN, 0});
    }
  }
}

void ControlServer::Handle(const std::vector<pollfd>& waits) {
  for (const auto& client : clients_) {
    if (client->gone) {
      if (EventsOf(waits, client->entered->held().holder()) != 0) {
        client->entered.reset();
      }
      continue;
    }
    if (client->entered) {
      WatchEntered(*client, EventsOf(waits, client->entered->held().channel()),
                   EventsOf(waits, client->entered->held().notifications()));
    }
    if (!client->gone && EventsOf(waits, client->socket.get()) != 0) {
      Answer(*client);
    }
    // A client that is gone takes its command with it.
    if (client->gone && client->entered) {
      client->entered->held().BeginKill();
      past_violations_ += client->entered->held().violations();
      past_unreported_ += client->entered->held().unreported();
    }
  }
  std::erase_if(clients_, [](const auto& client) { return client->gone && !client->entered; });
  if (EventsOf(waits, listener_) != 0) {
    Accept();
  }
}

void ControlServer::Accept() {
  UniqueFd socket(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket.valid() || !MayAsk(socket.get())) {
    return;
  }
  clients_.push_back(std::make_unique<Client>(std::move(socket), nullptr, false, false, false));
}

void ControlServer::Reply(Client& client, const ControlReply& reply) {
  if (!SendControlMessage(client.socket.get(), WriteControlReply(reply), {})) {
    client.gone = true;
  }
}

void ControlServer::Answer(Client& client) {
  const Expected<ControlMessage> message = ReceiveControlMessage(client.socket.get());
  if (!message || message->text.empty()) {
    client.gone = true;
    return;
  }
  const bool runs = client.entered != nullptr;
  const Expected<ControlReply> reply = Do(client, *message);
  if (!reply) {
    Reply(client, {reply.error().message, {}, {}});
  } else if (!runs && !client.entered) {
    Reply(client, *reply);
  }
}

Expected<ControlReply> ControlServer::Do(Client& client, const ControlMessage& message) const {
  ASSIGN_OR_RETURN(const ControlRequest request,
                   ReadControlRequest(message.text, "the control socket"));
  ControlReply reply;
  if (request.kind == ControlRequestKind::kSignal) {
    if (client.entered) {
      client.entered->held().Signal(request.signal);
    } else if (!client.has_executed) {
      // One for a command that has just ended is not the workload's.
      actions_.signal(request.signal);
    }
    return reply;
  }
  if (client.entered) {
    return Fail(InvalidInput("a command runs over this connection: it takes signals only"));
  }
  switch (request.kind) {
    case ControlRequestKind::kInspect:
      reply.state = actions_.inspect();
      return reply;
    case ControlRequestKind::kPause:
      RETURN_IF_ERROR(actions_.pause());
      return reply;
    case ControlRequestKind::kResume:
      RETURN_IF_ERROR(actions_.resume());
      return reply;
    case ControlRequestKind::kWait:
      client.waits = true;
      return reply;
    case ControlRequestKind::kUpdate:
      RETURN_IF_ERROR(actions_.update(request.limits));
      return reply;
    default:
      break;
  }
  if (message.fds.size() != kMaxControlFds) {
    return Fail(InvalidInput("a command needs its three standard streams"));
  }
  ASSIGN_OR_RETURN(client.entered,
                   actions_.execute(request, {message.fds[0].get(), message.fds[1].get(),
                                              message.fds[2].get()}));
  client.has_executed = true;
  client.entered->held().SetTakeTerminal([&client](UniqueFd master) {
    ControlReply terminal;
    terminal.terminal = true;
    if (!SendControlMessage(client.socket.get(), WriteControlReply(terminal), {master.get()})) {
      client.gone = true;
    }
  });
  return reply;
}

void ControlServer::WatchEntered(Client& client, short messages, short notifications) {
  HeldWorkload& held = client.entered->held();
  Status handled;
  if (notifications != 0) {
    handled = held.HandleNotifications(notifications);
  }
  if (handled && messages != 0) {
    handled = held.TakeMessage();
  }
  if (handled && !held.outcome()) {
    return;
  }
  if (!handled) {
    Reply(client, {handled.error().message, {}, {}});
    client.gone = true;
    return;
  }
  past_violations_ += held.violations();
  past_unreported_ += held.unreported();
  const std::optional<Outcome> outcome = held.outcome();
  client.entered.reset();
  Reply(client, {{}, {}, outcome});
}

void ControlServer::Finish(const Outcome& outcome) {
  for (const auto& client : clients_) {
    if (client->waits) {
      Reply(*client, {{}, {}, outcome});
    }
  }
}

std::vector<EnteredCommand> ControlServer::Entered() const {
  std::vector<EnteredCommand> entered;
  for (const auto& client : clients_) {
    if (client->entered && !client->gone) {
      entered.push_back({client->entered->held().pid(), client->entered->command()});
    }
  }
  return entered;
}

std::uint64_t ControlServer::violations() const {
  std::uint64_t sum = past_violations_;
  for (const auto& client : clients_) {
    sum += client->entered && !client->gone ? client->entered->held().violations() : 0;
  }
  return sum;
}

std::uint64_t ControlServer::unreported() const {
  std::uint64_t sum = past_unreported_;
  for (const auto& client : clients_) {
    sum += client->entered && !client->gone ? client->entered->held().unreported() : 0;
  }
  return sum;
}

}  // namespace cordon
