#pragma once

#include <cstdint>
#include <span>

#include "runtime/launch_step.h"

/// The messages between the supervisor (outside) and the sandbox's first process (inside), over a
/// SOCK_SEQPACKET pair. Both directions. Everything here is async-signal-safe: no allocation, no
/// locks.
namespace cordon {

enum class SetupMessageKind : std::uint32_t {
  kProceed,     ///< to the inside: maps are written, cgroups prepared
  kGo,          ///< to the inside: the confinement is verified, execute
  kNeedSocket,  ///< to the inside: make a TCP socket in the sandbox's network namespace
  kFailed,      ///< to the outside: `step` failed with `value` = errno; nothing more comes
  kNote,     ///< to the outside: `step` was left out because of `value` = errno; the launch goes on
  kRuleset,  ///< to the outside: with the Landlock ruleset, for who enters later
  kTimeNamespace,  ///< to the outside: with the time namespace of what is made inside
  kTerminal,       ///< to the outside: with the master of the workload's terminal
  kNotifySocket,   ///< to the outside: with the socket bound to HoldContext::notify_address
  kConfined,       ///< to the outside: with the workload's pidfd and, with a listener, the listener
  kSocket,         ///< to the outside: with the socket; none when `value` (errno) is not 0
  kNotExecuted,    ///< to the outside: `value` = errno of execve
  kEnded,          ///< to the outside: `value` = the workload's wait status
  // Of containers of engines only (runtime/oci_*):
  kHooks,    ///< to the outside: everything but the change of the root is done
  kCreated,  ///< to the outside: only kGo is missing; nothing more is waited for
  kHeld,     ///< to who starts: with the page that says how it ends
};

struct SetupMessage {
  SetupMessageKind kind = SetupMessageKind::kFailed;
  LaunchStep step = LaunchStep::kNone;
  std::int32_t value = 0;
  std::uint32_t index = 0;
};

inline constexpr std::size_t kMaxSetupFds = 2;

/// Sends one message with at most kMaxSetupFds descriptors; 0 or the positive errno.
int SendSetupMessage(int socket, const SetupMessage& message, std::span<const int> fds = {});

/// What ReceiveSetupMessage found.
enum class Received : std::uint8_t { kMessage, kClosed, kNothing, kError };

/// Receives one message; `fds` are filled and closed on exec, -1 where none came. kNothing only for
/// a socket without data and MSG_DONTWAIT in `flags`.
Received ReceiveSetupMessage(int socket, SetupMessage& message, std::span<int, kMaxSetupFds> fds,
                             int flags = 0);

}  // namespace cordon
