#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "model/outcome.h"
#include "model/sandbox_state.h"
#include "model/terminal_size.h"

/// What is said over the control socket of a running sandbox: requests to its supervisor, one JSON
/// object in a message, and one reply to each. An `exec` is replied to when its command has ended,
/// a `wait` when the workload has; signals that come over the same connection as an `exec` before
/// that are the command's.
namespace cordon {

enum class ControlRequestKind : std::uint8_t {
  kInspect,
  kSignal,
  kExecute,
  kPause,
  kResume,
  kWait,
  kUpdate
};

struct ControlRequest {
  ControlRequestKind kind = ControlRequestKind::kInspect;
  int signal = 0;                        ///< kSignal: 1..64
  std::vector<std::string> arguments;    ///< kExecute: at least the command
  std::vector<std::string> environment;  ///< kExecute: NAME=VALUE, besides the workload's
  std::string working_directory;         ///< kExecute: empty for the workload's
  ResourceLimits limits;                 ///< kUpdate: what is to change
  std::optional<TerminalSize> terminal;  ///< kExecute: of its own; nothing: the client's streams
  bool operator==(const ControlRequest&) const = default;
};

struct ControlReply {
  std::string error;  ///< why not; empty: done
  std::optional<SandboxState> state;
  std::optional<Outcome> outcome;
  bool terminal = false;  ///< the master of the command's comes with this; another reply follows
  bool operator==(const ControlReply&) const = default;
};

/// What a message may have in bytes: a command line as long as an ordinary one.
inline constexpr std::size_t kMaxControlMessageBytes = 128 << 10;

std::string WriteControlRequest(const ControlRequest& request);
std::string WriteControlReply(const ControlReply& reply);

/// Fail with kInvalidInput naming the place.
Expected<ControlRequest> ReadControlRequest(std::string_view text, std::string_view source);
Expected<ControlReply> ReadControlReply(std::string_view text, std::string_view source);

}  // namespace cordon
