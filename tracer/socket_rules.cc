#include "tracer/socket_rules.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "observe/call_values.h"
#include "tracer/capability_rules.h"

namespace cordon {
namespace {

bool IsStream(const std::optional<SocketIdentity>& socket) {
  return socket && (socket->type == SOCK_STREAM || socket->type == SOCK_SEQPACKET);
}

}  // namespace

void SocketRules::ReadAddress(TaskState& task, CallFrame& frame) {
  const ProcessMemory memory(task.id);
  const auto& roles = frame.signature->roles;
  if (const auto message = ArgumentWithRole(frame, ArgumentRole::kMessage)) {
    const auto destination =
        ReadMessageDestination(RemoteAddress{*message}, frame.meant.call.arch, memory);
    if (destination.has_value()) {
      frame.address = *destination;
    } else {
      frame.unreadable |= destination.error().sys_errno == EFAULT;
    }
    if (frame.signature->name == "sendmmsg") {
      ReadFurtherAddresses(task, frame);
    }
    return;
  }
  const auto* const role = std::ranges::find(roles, ArgumentRole::kSocketAddress);
  if (role == roles.end()) {
    return;
  }
  const auto index = static_cast<std::size_t>(role - roles.begin());
  const RemoteAddress address{frame.meant.arguments[index]};
  const std::uint64_t length = static_cast<std::uint32_t>(frame.meant.arguments[index + 1]);
  if (address.null() || length == 0) {
    return;
  }
  if (Expected<SocketAddress> decoded = ReadSocketAddress(address, length, memory);
      decoded.has_value()) {
    frame.address = *std::move(decoded);
  } else {
    frame.unreadable |= decoded.error().sys_errno == EFAULT;
  }
}

void SocketRules::ReadFurtherAddresses(const TaskState& task, CallFrame& frame) {
  constexpr std::uint64_t kMostMessages = 1024;  // UIO_MAXIOV: the kernel sends no more at once
  const ProcessMemory memory(task.id);
  const Architecture arch = frame.meant.call.arch;
  const std::uint64_t messages =
      std::min<std::uint64_t>(static_cast<std::uint32_t>(frame.meant.arguments[2]), kMostMessages);
  std::set<std::pair<std::string, int>> known;
  if (frame.address) {
    known.emplace(frame.address->address, frame.address->port);
  }
  for (std::uint64_t i = 1; i < messages; ++i) {
    const RemoteAddress message =
        RemoteAddress{frame.meant.arguments[1]} + (i * MessageVectorStride(arch));
    const auto destination = ReadMessageDestination(message, arch, memory);
    if (!destination.has_value()) {
      frame.unreadable |= destination.error().sys_errno == EFAULT;
      return;
    }
    const std::optional<SocketAddress>& to = *destination;
    if (to && known.emplace(to->address, to->port).second) {
      frame.further_addresses.emplace(i, *to);
    }
  }
}

ExitInterest SocketRules::Before(TaskState& task, CallFrame& frame) {
  const std::optional<SocketOperation> operation = SocketOperationOf(frame.signature->effect);
  if (!operation) {
    return ExitInterest::kNotWanted;
  }
  if (*operation == SocketOperation::kSend) {
    const int fd = DescriptorNumber(frame.meant.arguments[0]);
    if (IsStream(lookup_.SocketOf(task, fd))) {
      return ExitInterest::kNotWanted;  // an address would be ignored (sendto(2))
    }
  }
  ReadAddress(task, frame);
  if (*operation == SocketOperation::kSend && !frame.address && frame.further_addresses.empty()) {
    return ExitInterest::kNotWanted;
  }
  if (frame.address && frame.address->family == AF_UNIX &&
      frame.address->address.starts_with('/')) {
    frame.files.clear();
    const bool binds = *operation == SocketOperation::kBind;
    if (auto path = lookup_.Resolve(task, frame.address->address,
                                    binds ? FinalLink::kKeep : FinalLink::kFollow);
        path.has_value()) {
      if (!path->exists()) {
        path->key.file_class = FileClass::kSocket;  // what was looked for
      }
      frame.files.push_back({.path = std::make_shared<const ResolvedPath>(*std::move(path)),
                             .descriptor = {},
                             .cache_key = {},
                             .fresh = true});
    }
  }
  return ExitInterest::kWanted;
}

void SocketRules::After(TaskState& task, CallFrame& frame, CallResult result) {
  const std::optional<SocketOperation> operation = SocketOperationOf(frame.signature->effect);
  if (!operation ||
      (*operation == SocketOperation::kSend && !frame.address && frame.further_addresses.empty())) {
    return;
  }
  SocketKey key;
  key.operation = *operation;
  if (*operation == SocketOperation::kCreate) {
    key.family = static_cast<int>(frame.meant.arguments[0]);
    key.type = static_cast<int>(frame.meant.arguments[1] & kSocketTypeMask);
    key.protocol = static_cast<int>(frame.meant.arguments[2]);
  } else {
    const std::optional<SocketIdentity> socket =
        lookup_.SocketOf(task, DescriptorNumber(frame.meant.arguments[0]));
    if (!socket) {
      return;  // not open, or no socket: the call failed with EBADF or ENOTSOCK
    }
    key.family = socket->family;
    key.type = socket->type;
    key.protocol = socket->protocol;
  }
  if (frame.address) {
    key.address = frame.address->address;
    key.port = frame.address->port;
  }
  for (const auto& [message, address] : frame.further_addresses) {
    if (result.ok() && std::cmp_less(message, result.value)) {
      SocketKey further = key;
      further.address = address.address;
      further.port = address.port;
      log_.NoteSocket(std::move(further), 0, task.program());
    }
  }
  if (frame.address || *operation != SocketOperation::kSend) {
    log_.NoteSocket(std::move(key), result.sys_errno, task.program());
  }
  NotePath(task, frame, result);
}

void SocketRules::NotePath(TaskState& task, const CallFrame& frame, CallResult result) {
  if (!frame.address || frame.address->family != AF_UNIX || frame.files.empty() ||
      frame.files[0].path == nullptr) {
    return;
  }
  const ResolvedPath& path = *frame.files[0].path;
  const FileKey socket{.path = path.key.path, .file_class = FileClass::kSocket};
  if (!result.ok()) {
    return;  // FileRules notes failures of names
  }
  if (frame.signature->effect == SyscallEffect::kBind) {
    log_.NoteFile(socket, {FileAccess::kCreate}, task.program());
    log_.NoteFile({.path = path.parent(), .file_class = FileClass::kDirectory},
                  {FileAccess::kAddName}, task.program());
    lookup_.Forget();
  } else {
    log_.NoteFile(socket, {FileAccess::kConnect}, task.program());
  }
}

}  // namespace cordon
