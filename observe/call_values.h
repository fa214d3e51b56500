#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/error.h"
#include "model/recording.h"
#include "model/syscall_signature.h"
#include "observe/process_memory.h"
#include "observe/socket_address.h"

namespace cordon {

/// Bytes of a pointer or long in the structs of an ABI: 4 for x86, x32 and arm, 8 otherwise.
std::size_t WordBytes(Architecture arch);

/// The recorded scalars of `invocation`, whose signature is `signature`, each masked to its width.
/// Fails when a member of a struct cannot be read.
Expected<ArgumentTuple> ReadArgumentTuple(const SyscallInvocation& invocation,
                                          const SyscallSignature& signature,
                                          const ProcessMemory& memory);

/// The call that an i386 or s390x socketcall(2) stands for; nothing when its number or arguments
/// are not valid.
std::optional<SyscallInvocation> UnwrapSocketCall(const SyscallInvocation& invocation,
                                                  const ProcessMemory& memory);

/// The bits of socket(2)'s type that are the type: SOCK_TYPE_MASK in linux/net.h.
inline constexpr std::uint64_t kSocketTypeMask = 0xf;

/// What a call with `effect` does with a socket; nothing: no use that a recording has.
std::optional<SocketOperation> SocketOperationOf(SyscallEffect effect);

/// The address at `from`, `length` bytes as the program said.
Expected<SocketAddress> ReadSocketAddress(RemoteAddress from, std::uint64_t length,
                                          const ProcessMemory& memory);

/// The destination in the struct msghdr at `from`; nothing when it has none.
Expected<std::optional<SocketAddress>> ReadMessageDestination(RemoteAddress from, Architecture arch,
                                                              const ProcessMemory& memory);

/// Memory of another process.
struct RemoteBytes {
  RemoteAddress address;
  std::uint64_t size = 0;
};

/// Where the struct msghdr at `from` has its ancillary data.
Expected<RemoteBytes> ReadMessageControl(RemoteAddress from, Architecture arch,
                                         const ProcessMemory& memory);

/// Bytes of a struct mmsghdr (recvmmsg(2)): a struct msghdr and an unsigned, filled up to a word.
std::size_t MessageVectorStride(Architecture arch);

/// The descriptors that came with the message (SCM_RIGHTS; unix(7)), after recvmsg(2) has filled it
/// in. Reads at most 64 KiB.
Expected<std::vector<int>> ReadReceivedDescriptors(RemoteAddress message, Architecture arch,
                                                   const ProcessMemory& memory);

}  // namespace cordon
