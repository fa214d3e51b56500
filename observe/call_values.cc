#include "observe/call_values.h"

#include <linux/net.h>

#include <algorithm>
#include <array>

namespace cordon {
namespace {

/// What socketcall(2)'s number means and how many words its argument array has (net/socket.c,
/// nargs).
struct SocketCallRow {
  int number;
  std::string_view name;
  std::size_t arguments;
};

constexpr SocketCallRow kSocketCalls[] = {
    {SYS_SOCKET, "socket", 3},
    {SYS_BIND, "bind", 3},
    {SYS_CONNECT, "connect", 3},
    {SYS_LISTEN, "listen", 2},
    {SYS_ACCEPT, "accept4", 3},
    {SYS_GETSOCKNAME, "getsockname", 3},
    {SYS_GETPEERNAME, "getpeername", 3},
    {SYS_SOCKETPAIR, "socketpair", 4},
    {SYS_SEND, "sendto", 4},
    {SYS_RECV, "recvfrom", 4},
    {SYS_SENDTO, "sendto", 6},
    {SYS_RECVFROM, "recvfrom", 6},
    {SYS_SHUTDOWN, "shutdown", 2},
    {SYS_SETSOCKOPT, "setsockopt", 5},
    {SYS_GETSOCKOPT, "getsockopt", 5},
    {SYS_SENDMSG, "sendmsg", 3},
    {SYS_RECVMSG, "recvmsg", 3},
    {SYS_ACCEPT4, "accept4", 4},
    {SYS_RECVMMSG, "recvmmsg", 5},
    {SYS_SENDMMSG, "sendmmsg", 4},
};

constexpr std::uint64_t kLow32 = 0xffffffff;

std::uint64_t MaskToWidth(std::uint64_t value, unsigned width_bits) {
  return width_bits >= 64 ? value : value & kLow32;
}

/// The word of an ABI at `from`.
Expected<std::uint64_t> ReadWord(RemoteAddress from, std::size_t word_bytes,
                                 const ProcessMemory& memory) {
  if (word_bytes == sizeof(std::uint32_t)) {
    ASSIGN_OR_RETURN(const std::uint32_t word, memory.ReadValue<std::uint32_t>(from));
    return word;
  }
  return memory.ReadValue<std::uint64_t>(from);
}

}  // namespace

std::size_t WordBytes(Architecture arch) {
  const bool narrow =
      arch == Architecture::kX86 || arch == Architecture::kX32 || arch == Architecture::kArm;
  return narrow ? sizeof(std::uint32_t) : sizeof(std::uint64_t);
}

Expected<ArgumentTuple> ReadArgumentTuple(const SyscallInvocation& invocation,
                                          const SyscallSignature& signature,
                                          const ProcessMemory& memory) {
  ArgumentTuple tuple;
  tuple.reserve(signature.scalars.size());
  for (const ScalarArgument& scalar : signature.scalars) {
    const std::uint64_t argument = invocation.arguments[scalar.index];
    const std::uint64_t chooser = invocation.arguments[0] & kLow32;
    if (scalar.only_for != 0 && (chooser >= 64 || ((scalar.only_for >> chooser) & 1U) == 0)) {
      tuple.push_back(0);
      continue;
    }
    if (scalar.member.empty()) {
      tuple.push_back(MaskToWidth(argument, scalar.width_bits));
      continue;
    }
    const RemoteAddress member = RemoteAddress{argument} + scalar.member_offset;
    ASSIGN_OR_RETURN(const std::uint64_t value, ReadWord(member, scalar.width_bits / 8U, memory));
    tuple.push_back(value);
  }
  return tuple;
}

std::optional<SyscallInvocation> UnwrapSocketCall(const SyscallInvocation& invocation,
                                                  const ProcessMemory& memory) {
  const auto* row = std::ranges::find(kSocketCalls, static_cast<int>(invocation.arguments[0]),
                                      &SocketCallRow::number);
  if (row == std::end(kSocketCalls)) {
    return std::nullopt;
  }
  const std::optional<std::int32_t> number = SyscallNumber(invocation.call.arch, row->name);
  if (!number) {
    return std::nullopt;
  }
  SyscallInvocation inner{.call = {.arch = invocation.call.arch, .number = *number},
                          .arguments = {}};
  const std::size_t word_bytes = WordBytes(invocation.call.arch);
  for (std::size_t i = 0; i < row->arguments; ++i) {
    const Expected<std::uint64_t> word =
        ReadWord(RemoteAddress{invocation.arguments[1]} + (i * word_bytes), word_bytes, memory);
    if (!word.has_value()) {
      return std::nullopt;
    }
    inner.arguments[i] = *word;
  }
  return inner;
}

std::optional<SocketOperation> SocketOperationOf(SyscallEffect effect) {
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

Expected<SocketAddress> ReadSocketAddress(RemoteAddress from, std::uint64_t length,
                                          const ProcessMemory& memory) {
  std::array<std::byte, kMaxSocketAddressBytes> bytes{};
  if (length > bytes.size()) {  // the kernel refuses it too (move_addr_to_kernel in net/socket.c)
    return Fail(InvalidInput("a socket address is longer than any family's"));
  }
  RETURN_IF_ERROR(memory.Read(from, bytes.data(), length));
  return DecodeSocketAddress(std::span(bytes).first(length));
}

Expected<std::optional<SocketAddress>> ReadMessageDestination(RemoteAddress from, Architecture arch,
                                                              const ProcessMemory& memory) {
  // struct msghdr begins with void* msg_name and int msg_namelen in every ABI.
  const std::size_t word_bytes = WordBytes(arch);
  ASSIGN_OR_RETURN(const std::uint64_t name, ReadWord(from, word_bytes, memory));
  if (name == 0) {
    return std::optional<SocketAddress>();
  }
  ASSIGN_OR_RETURN(const std::uint32_t length, memory.ReadValue<std::uint32_t>(from + word_bytes));
  ASSIGN_OR_RETURN(SocketAddress address, ReadSocketAddress(RemoteAddress{name}, length, memory));
  return std::optional(std::move(address));
}

Expected<RemoteBytes> ReadMessageControl(RemoteAddress from, Architecture arch,
                                         const ProcessMemory& memory) {
  // struct msghdr: name, namelen, iov, iovlen, control, controllen, flags; each begins a word.
  constexpr std::uint64_t kControlWord = 4;
  const std::size_t word_bytes = WordBytes(arch);
  const RemoteAddress at = from + (kControlWord * word_bytes);
  RemoteBytes control;
  ASSIGN_OR_RETURN(control.address.value, ReadWord(at, word_bytes, memory));
  ASSIGN_OR_RETURN(control.size, ReadWord(at + word_bytes, word_bytes, memory));
  return control;
}

std::size_t MessageVectorStride(Architecture arch) {
  constexpr std::size_t kWords = 8;  // the seven of struct msghdr, and msg_len
  return kWords * WordBytes(arch);
}

Expected<std::vector<int>> ReadReceivedDescriptors(RemoteAddress message, Architecture arch,
                                                   const ProcessMemory& memory) {
  constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 10;
  constexpr std::uint32_t kSocketLevel = 1;  // SOL_SOCKET
  constexpr std::uint32_t kRights = 1;       // SCM_RIGHTS
  const std::size_t word_bytes = WordBytes(arch);
  const std::uint64_t header_bytes = word_bytes + 8;  // length, level, type
  ASSIGN_OR_RETURN(const RemoteBytes control, ReadMessageControl(message, arch, memory));
  std::vector<int> descriptors;
  std::uint64_t at = 0;
  const std::uint64_t end = control.address.null() ? 0 : std::min(control.size, kMostBytes);
  while (at + header_bytes <= end) {
    const RemoteAddress item = control.address + at;
    ASSIGN_OR_RETURN(const std::uint64_t length, ReadWord(item, word_bytes, memory));
    ASSIGN_OR_RETURN(const std::uint32_t level, memory.ReadValue<std::uint32_t>(item + word_bytes));
    ASSIGN_OR_RETURN(const std::uint32_t type,
                     memory.ReadValue<std::uint32_t>(item + word_bytes + sizeof level));
    if (length < header_bytes || length > end - at) {
      break;
    }
    if (level == kSocketLevel && type == kRights) {
      for (std::uint64_t fd = header_bytes; fd + sizeof(int) <= length; fd += sizeof(int)) {
        ASSIGN_OR_RETURN(const int number, memory.ReadValue<int>(item + fd));
        descriptors.push_back(number);
      }
    }
    at += (length + word_bytes - 1) / word_bytes * word_bytes;
  }
  return descriptors;
}

}  // namespace cordon
