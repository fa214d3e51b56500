// Calls, sockets and capabilities: the part of RuleBuilder that does not look at paths.

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "generator/selinux_access.h"
#include "generator/selinux_container.h"
#include "generator/selinux_rule_builder.h"

namespace cordon {
namespace {

/// Ports whose type says nothing but their range: one that the workload binds gets a type of its
/// own.
constexpr auto kGeneralPorts =
    std::to_array<std::string_view>({"", "ephemeral_port_t", "hi_reserved_port_t", "port_t",
                                     "reserved_port_t", "unreserved_port_t"});

struct AskedRow {
  SocketOperation operation;
  std::initializer_list<int> results;
};

/// security_socket_create(), _bind() and _connect() come before whatever finds these out
/// (net/socket.c), so a policy that refuses them changes the errno that a program goes by.
const AskedRow kAsked[] = {
    {SocketOperation::kCreate, {EAFNOSUPPORT, EPROTONOSUPPORT, EPROTOTYPE, ESOCKTNOSUPPORT}},
    {SocketOperation::kBind, {EADDRINUSE, EADDRNOTAVAIL}},
    {SocketOperation::kConnect,
     {ECONNREFUSED, EADDRNOTAVAIL, EHOSTUNREACH, ENETUNREACH, ENOENT, ETIMEDOUT, EPROTOTYPE}},
};

}  // namespace

bool WasAsked(const SocketKey& key, const SocketObservation& observation) {
  const AskedRow* const row = std::ranges::find(kAsked, key.operation, &AskedRow::operation);
  return row != std::end(kAsked) && Happened(observation, row->results);
}

std::string RuleBuilder::PortType(std::string_view protocol, std::uint16_t port) const {
  const PortRange* best = nullptr;
  for (const PortRange& range : target_.facts.ports) {
    if (range.protocol == protocol && range.low <= port && port <= range.high &&
        (best == nullptr || range.high - range.low < best->high - best->low)) {
      best = &range;
    }
  }
  return best == nullptr ? "port_t" : best->type;
}

void RuleBuilder::AddCalls() {
  for (const auto& [call, observation] : recording_.syscalls) {
    for (CallPermission& permission : CallPermissions(call, observation)) {
      // Of what is mounted for a container some has its label, some the file system's.
      if (InContainer() && (permission.target == "fs_t" || permission.target == "tmpfs_t")) {
        Allow(std::string(kContainerFileType), permission.object_class, permission.permissions,
              SyscallLabel(call));
      }
      Record({.place = SyscallLabel(call),
              .path = {},
              .file_class = FileClass::kFile,
              .created = false,
              .target = {},
              .object_class = permission.object_class,
              .permissions = std::move(permission.permissions),
              .requests = {},
              .seen = observation.seen},
             permission.target);
    }
  }
}

/// What is refused without a word: the kernel asks it in passing, and what was recorded does not
/// depend on it.
void RuleBuilder::AddPassing() {
  const auto refuse = [this](const CallPermission& permission, const std::string& place) {
    if (!HasType(permission.target)) {
      return;
    }
    const std::set<std::string> known = Known(permission.object_class, permission.permissions);
    if (known.empty()) {
      return;
    }
    AccessVectorRule& rule =
        rules_.policy.dontaudit[{rules_.policy.domain, permission.target, permission.object_class}];
    rule.permissions.insert(known.begin(), known.end());
    rule.reasons.Add(place);
  };
  for (const auto& [call, observation] : recording_.syscalls) {
    for (const CallPermission& permission : PassingPermissions(call, observation)) {
      refuse(permission, SyscallLabel(call));
    }
  }
  for (const auto& [key, socket] : recording_.sockets) {
    const std::string object_class = SocketClass(key.family, key.type, key.protocol);
    if (key.operation != SocketOperation::kCreate || !IsModularSocket(object_class)) {
      continue;
    }
    // Loading the module is for who starts the system.
    refuse({.target = "kernel_t", .object_class = "system", .permissions = {"module_request"}},
           object_class);
    if (Happened(socket, {EACCES, EPERM})) {
      refuse({.target = "self", .object_class = object_class, .permissions = {"create"}},
             object_class);
    }
  }
}

void RuleBuilder::AddSocketRequests(RecordedAccess* access) const {
  for (const auto& [call, observation] : recording_.syscalls) {
    if (SyscallName(call) != "ioctl") {
      continue;
    }
    for (const auto& [tuple, seen] : observation.tuples) {
      const auto request =
          tuple.empty() ? std::uint32_t{0} : static_cast<std::uint32_t>(tuple.front());
      if (IsSocketRequest(request)) {
        access->permissions.insert("ioctl");
        access->requests.insert(static_cast<std::uint16_t>(request));
      }
    }
  }
}

void RuleBuilder::AddSockets() {
  std::set<std::string> extra;
  for (const auto& [call, observation] : recording_.syscalls) {
    const std::optional<std::string_view> name = SyscallName(call);
    if (name.has_value()) {
      extra.merge(SocketCallPermissions(*name));
    }
  }
  // Binding first: it may give a port a type of the module, which connecting must then name.
  for (const bool binding : {true, false}) {
    for (const auto& [key, socket] : recording_.sockets) {
      if (binding == (key.operation == SocketOperation::kBind) &&
          (Happened(socket, {0, EINPROGRESS, EAGAIN}) || WasAsked(key, socket))) {
        AddSocket(key, socket, extra);
      }
    }
  }
}

void RuleBuilder::AddSocket(const SocketKey& key, const SocketObservation& socket,
                            const std::set<std::string>& extra) {
  const std::string object_class = SocketClass(key.family, key.type, key.protocol);
  RecordedAccess access{
      .place = fmt::format("{} {}", object_class, key.address.empty() ? "socket" : key.address),
      .path = {},
      .file_class = FileClass::kSocket,
      .created = false,
      .target = {},
      .object_class = object_class,
      .permissions = SocketPermissions(object_class, key.operation),
      .requests = {},
      .seen = socket.seen};
  if (key.port != 0) {
    access.place += fmt::format(" port {}", key.port);
  }
  if (key.operation == SocketOperation::kCreate && !socket.results.contains(0)) {
    access.permissions = {"create"};  // there never was one to do anything with
  } else if (key.operation == SocketOperation::kCreate ||
             key.operation == SocketOperation::kAccept) {
    access.permissions.insert(extra.begin(), extra.end());
    AddSocketRequests(&access);
  }
  std::erase_if(access.permissions, [&](const std::string& permission) {
    return permission == "nlmsg_read" && !target_.facts.HasPermission(object_class, permission);
  });
  Record(std::move(access), "self");
  if (key.operation == SocketOperation::kBind && PortProtocol(object_class).has_value()) {
    AddPort(key, socket.seen, object_class, "name_bind");
  } else if (key.operation == SocketOperation::kConnect &&
             target_.facts.HasPermission(object_class, "name_connect")) {
    AddPort(key, socket.seen, object_class, "name_connect");
  } else if (key.family == AF_UNIX &&
             (key.operation == SocketOperation::kConnect ||
              key.operation == SocketOperation::kSend) &&
             !key.address.empty() && Happened(socket, {0, EINPROGRESS, EAGAIN, ECONNREFUSED})) {
    AddPeer(key, socket.seen, object_class);
  }
}

void RuleBuilder::AddPort(const SocketKey& key, const Seen& seen, const std::string& object_class,
                          const std::string& permission) {
  const std::string place = fmt::format("{} {} port {}", object_class, key.address, key.port);
  const auto record = [&](const std::string& type, const std::string& what) {
    Record({.place = place,
            .path = {},
            .file_class = FileClass::kSocket,
            .created = false,
            .target = {},
            .object_class = object_class,
            .permissions = {what},
            .requests = {},
            .seen = seen},
           type);
  };
  const bool binds = permission == "name_bind";
  if (binds) {
    record("node_t", "node_bind");
  }
  if (key.port == 0) {
    return;  // the kernel picks one of the local range without asking
  }
  const std::string protocol(PortProtocol(object_class).value_or("tcp"));
  std::string type = PortType(protocol, key.port);
  const auto own = rules_.policy.ports.find({protocol, key.port});
  if (own != rules_.policy.ports.end()) {
    type = own->second.type;
  } else if (binds && !replaying_ && !InContainer() && ListHas(kGeneralPorts, type)) {
    // A label of a port holds for the whole host, and so for every container on it.
    type = fmt::format("{}_port_t", rules_.policy.name);
    SelinuxType& declared = rules_.policy.types[type];
    declared.reasons.Add(place);
    for (const std::string& attribute :
         {std::string("port_type"), std::string("defined_port_type")}) {
      if (target_.facts.attributes.contains(attribute)) {
        declared.attributes.insert(attribute);
      }
    }
    TransitionRule& port = rules_.policy.ports[{protocol, key.port}];
    port.type = type;
    port.reasons.Add(place);
  }
  record(type, permission);
}

void RuleBuilder::AddPeer(const SocketKey& key, const Seen& seen, const std::string& object_class) {
  const bool stream = object_class == "unix_stream_socket";
  SocketKey bound = key;
  bound.operation = SocketOperation::kBind;
  std::string peer;
  if (recording_.sockets.contains(bound)) {
    peer = "self";
  } else if (const std::optional<std::string_view> known = PeerDomain(key.address);
             !InContainer() && known.has_value() &&
             target_.facts.types.contains(std::string(*known))) {
    peer = std::string(*known);
  }
  if (peer.empty()) {
    rules_.blind_spots.insert(fmt::format(
        "nothing says in which domain the server behind {} runs: {} to it is not allowed",
        key.address, stream ? "connectto" : "sendto"));
    return;
  }
  Record({.place = key.address,
          .path = {},
          .file_class = FileClass::kSocket,
          .created = false,
          .target = {},
          .object_class = object_class,
          .permissions = {stream ? "connectto" : "sendto"},
          .requests = {},
          .seen = seen},
         peer);
}

void RuleBuilder::AddCapabilities() {
  for (const auto& [name, use] : recording_.capabilities) {
    const std::optional<CapabilityPermission> permission = PermissionOfCapability(name);
    if (!permission.has_value()) {
      rules_.dropped.insert(name);
      continue;
    }
    Record(
        {.place = use.reasons.empty() ? name : fmt::format("{} ({})", name, *use.reasons.begin()),
         .path = {},
         .file_class = FileClass::kFile,
         .created = false,
         .target = {},
         .object_class = permission->object_class,
         .permissions = {permission->permission},
         .requests = {}},
        "self");
    if (InContainer()) {
      AddMappedCapability(permission->object_class, permission->permission, name);
    }
  }
}

}  // namespace cordon
