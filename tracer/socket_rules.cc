#include "tracer/socket_rules.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "observe/call_values.h"
#include "tracer/capability_rules.h"

namespace cordon {
namespace {

constexpr std::uint64_t kTypeMask = 0xf;  // SOCK_TYPE_MASK in linux/net.h

std::optional<SocketOperation> OperationOf(SyscallEffect effect) {
  switch (effect) {
    case SyscallEffect::kSocket:
    case SyscallEffect::kSocketPair:
      return SocketOperation::kCreate;
    case SyscallEffect::kBind:
      return SocketOperation::kBind;
    case SyscallEffect::kConnect:
      return SocketOperation::kConnect;
    case SyscallEffect::kListen:
      return SocketOperation::kListen;
    case SyscallEffect::kAccept:
      return SocketOperation::kAccept;
    case SyscallEffect::kSend:
    case SyscallEffect::kSendMessage:
      return SocketOperation::kSend;
    default:
      return std::nullopt;
  }
}

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

ExitInterest SocketRules::Before(TaskState& task, CallFrame& frame) {
  const std::optional<SocketOperation> operation = OperationOf(frame.signature->effect);
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
  if (*operation == SocketOperation::kSend && !frame.address) {
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
  const std::optional<SocketOperation> operation = OperationOf(frame.signature->effect);
  if (!operation || (*operation == SocketOperation::kSend && !frame.address)) {
    return;
  }
  SocketKey key;
  key.operation = *operation;
  if (*operation == SocketOperation::kCreate) {
    key.family = static_cast<int>(frame.meant.arguments[0]);
    key.type = static_cast<int>(frame.meant.arguments[1] & kTypeMask);
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
  log_.NoteSocket(std::move(key), result.sys_errno, task.program());
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
