#include "runtime/call_auditor.h"

#include <sys/socket.h>

#include <algorithm>

#include "model/syscall_signature.h"
#include "observe/call_values.h"
#include "observe/process_memory.h"
#include "observe/process_status.h"
#include "observe/socket_address.h"

namespace cordon {
namespace {

bool NamesAddress(SyscallEffect effect) {
  return effect == SyscallEffect::kBind || effect == SyscallEffect::kConnect ||
         effect == SyscallEffect::kListen;
}

/// The address that the call has in its arguments, if any.
std::optional<SocketAddress> AddressOf(const SyscallInvocation& call,
                                       const SyscallSignature& signature,
                                       const ProcessMemory& memory) {
  for (std::size_t i = 0; i + 1 < signature.roles.size(); ++i) {
    if (signature.roles.at(i) == ArgumentRole::kMessage) {
      return ReadMessageDestination({call.arguments.at(i)}, call.call.arch, memory)
          .value_or(std::nullopt);
    }
    if (signature.roles.at(i) == ArgumentRole::kSocketAddress && call.arguments.at(i) != 0) {
      Expected<SocketAddress> address = ReadSocketAddress(
          {call.arguments.at(i)}, static_cast<std::uint32_t>(call.arguments.at(i + 1)), memory);
      return address ? std::optional(*std::move(address)) : std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace

std::set<std::string> AuditedCalls(FileComparison files) {
  std::set<std::string> names;
  for (const SyscallSignature& signature : AllSignatures()) {
    if (NamesAddress(signature.effect) ||
        (files == FileComparison::kWanted && ConcernsFiles(signature.effect))) {
      names.emplace(signature.name);
    }
  }
  return names;
}

void CallAuditor::LookAtSocket(const SyscallInvocation& call, Violation& violation) {
  const SyscallSignature& signature = SignatureOf(call.call);
  const std::optional<SocketOperation> operation = SocketOperationOf(signature.effect);
  if (!operation) {
    return;
  }
  const bool refused = violation.is_outside_seccomp();
  SocketKey key;
  key.operation = *operation;
  if (*operation == SocketOperation::kCreate) {
    key.family = static_cast<int>(call.arguments[0]);
    key.type = static_cast<int>(call.arguments[1] & kSocketTypeMask);
    key.protocol = static_cast<int>(call.arguments[2]);
    if (refused) {
      if (key.family >= 0 && key.family < AF_MAX) {  // others the kernel does not make
        sockets_.emplace(key.family, key.type);
      }
      violation.socket = key;
    }
    return;
  }
  const Expected<ProcessStatus> status = ReadProcessStatus(violation.thread);
  if (!status) {
    return;
  }
  const Expected<SocketIdentity> identity =
      IdentifySocket(status->thread_group, static_cast<int>(call.arguments[0]));
  if (!identity || (!refused && !sockets_.contains({identity->family, identity->type}))) {
    return;
  }
  key.family = identity->family;
  key.type = identity->type;
  key.protocol = identity->protocol;
  const std::optional<SocketAddress> address =
      AddressOf(call, signature, ProcessMemory(violation.thread));
  if (address) {
    const bool is_path =
        address->family == AF_UNIX && !address->address.empty() && address->address.front() != '@';
    key.address = is_path ? CanonicalPathOf(address->address, violation.thread) : address->address;
    key.port = address->port;
  } else if (*operation == SocketOperation::kSend) {
    return;  // to where it is connected
  }
  violation.socket = key;
}

bool CallAuditor::Look(Violation& violation) {
  const ProcessMemory memory(violation.thread);
  const bool refused = violation.is_outside_seccomp();
  SyscallInvocation meant = violation.invocation;
  if (SignatureOf(meant.call).effect == SyscallEffect::kSocketCall) {
    meant = UnwrapSocketCall(meant, memory).value_or(meant);
  }
  LookAtSocket(meant, violation);
  CalledFiles called = FilesOfCall(meant, violation.thread);
  violation.unreadable = called.unreadable;
  if (files_) {
    for (const FileUse& use : called.uses) {
      std::vector<LandlockRule> missing = files_->Missing(use);
      violation.missing.insert(violation.missing.end(), missing.begin(), missing.end());
    }
  }
  const bool outside = refused || !violation.missing.empty();
  if (outside) {
    violation.files = std::move(called.uses);
    violation.programs = std::move(called.programs);
  }
  if (refused) {
    const SyscallSignature& signature = SignatureOf(violation.invocation.call);
    Expected<ArgumentTuple> tuple = ReadArgumentTuple(violation.invocation, signature, memory);
    violation.unreadable |= !tuple;
    violation.scalars = std::move(tuple).value_or(ArgumentTuple());
  }
  return outside || violation.socket.has_value();
}

}  // namespace cordon
