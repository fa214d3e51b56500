#include "runtime/call_text.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <optional>

#include "common/text.h"
#include "model/socket_names.h"
#include "model/syscall_signature.h"
#include "observe/call_values.h"
#include "observe/process_memory.h"
#include "runtime/flag_names.h"

namespace cordon {
namespace {

constexpr std::size_t kMaxPathBytes = 4096;
constexpr std::size_t kMaxShownBytes = 256;

std::string AddressText(const SocketAddress& address) {
  const std::string family(
      SocketFamilyName(address.family).value_or("family " + std::to_string(address.family)));
  if (address.port != 0) {
    return fmt::format("{} {} port {}", family, address.address, address.port);
  }
  return address.address.empty() ? family : family + " " + Quote(address.address, kMaxShownBytes);
}

/// One argument, or nothing when its register's value is all there is to say.
std::optional<std::string> ArgumentText(const SyscallInvocation& invocation, std::size_t index,
                                        ArgumentRole role, const ProcessMemory& memory) {
  const std::uint64_t value = invocation.arguments[index];
  const auto number = static_cast<std::int32_t>(value);
  switch (role) {
    case ArgumentRole::kPath:
    case ArgumentRole::kPathNoFollow:
    case ArgumentRole::kText: {
      const Expected<std::string> text = memory.ReadString({value}, kMaxPathBytes);
      return text ? std::optional(Quote(*text, kMaxShownBytes)) : std::nullopt;
    }
    case ArgumentRole::kSocketAddress: {
      const std::uint64_t length =
          index + 1 < invocation.arguments.size() ? invocation.arguments[index + 1] : 0;
      const Expected<SocketAddress> address = ReadSocketAddress({value}, length, memory);
      return address ? std::optional(AddressText(*address)) : std::nullopt;
    }
    case ArgumentRole::kDirectoryFd:
      return number == AT_FDCWD ? "AT_FDCWD" : std::to_string(number);
    case ArgumentRole::kFd:
    case ArgumentRole::kReadFd:
    case ArgumentRole::kWriteFd:
    case ArgumentRole::kProcess:
      return std::to_string(number);
    case ArgumentRole::kFileMode:
      return fmt::format("{:#o}", static_cast<std::uint32_t>(value) & 07777);
    case ArgumentRole::kSignal: {
      const char* name = ::sigabbrev_np(number);
      return name != nullptr ? std::optional("SIG" + std::string(name)) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

/// How many registers are arguments: all up to the last one that means something. For a call that
/// the table does not know, what its registers hold beyond its arguments is left over from other
/// work, so none is shown.
std::size_t ShownArguments(const SyscallInvocation& invocation, const SyscallSignature& signature) {
  std::size_t shown = 0;
  bool creates = true;  // open(2) looks at its mode only then
  for (std::size_t i = 0; i < signature.roles.size(); ++i) {
    if (signature.roles[i] == ArgumentRole::kOpenFlags) {
      creates =
          (invocation.arguments[i] & (O_CREAT | O_TMPFILE) & ~std::uint64_t{O_DIRECTORY}) != 0;
    }
    if (signature.roles[i] != ArgumentRole::kOther &&
        (creates || signature.roles[i] != ArgumentRole::kFileMode)) {
      shown = i + 1;
    }
  }
  for (const ScalarArgument& scalar : signature.scalars) {
    shown = std::max<std::size_t>(shown, scalar.index + 1U);
  }
  return shown;
}

}  // namespace

std::string DescribeCall(const SyscallInvocation& invocation, pid_t thread) {
  const SyscallSignature& signature = SignatureOf(invocation.call);
  const ProcessMemory memory(thread);
  std::string text = SyscallLabel(invocation.call) + "(";
  const std::size_t shown = ShownArguments(invocation, signature);
  if (shown == 0) {
    return text + "…)";
  }
  for (std::size_t i = 0; i < shown; ++i) {
    std::optional<std::string> argument = ArgumentText(invocation, i, signature.roles[i], memory);
    if (!argument) {
      argument = NamedArgument(invocation, signature, i);
    }
    text += (i == 0 ? "" : ", ") + argument.value_or(fmt::format("{:#x}", invocation.arguments[i]));
  }
  return text + ")";
}

}  // namespace cordon
