#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/unique_fd.h"
#include "model/control_message.h"

/// Messages on a control socket (SOCK_SEQPACKET): a text, and descriptors with it.
namespace cordon {

struct ControlMessage {
  std::string text;           ///< empty: the other side has closed
  std::vector<UniqueFd> fds;  ///< never 0, 1 or 2; closed on exec
};

/// What a client gives a command: its standard streams.
inline constexpr std::size_t kMaxControlFds = 3;

/// Sends `text` with `fds`. Fails with kLimit over kMaxControlMessageBytes.
Status SendControlMessage(int socket, std::string_view text, const std::vector<int>& fds);

/// Waits for the next message, if the socket waits. Fails with kLimit for one that is too long.
Expected<ControlMessage> ReceiveControlMessage(int socket);

/// A pidfd of the process that `socket` is connected to. It is that process's, not another's of the
/// same number, if that process answers on `socket` afterwards.
Expected<UniqueFd> SupervisorOf(int socket);

/// Sends `request` on `socket` and waits ten seconds for the reply to it. A reply that says why not
/// is a failure (kUnsupported).
Expected<ControlReply> AskSupervisor(int socket, const ControlRequest& request,
                                     const std::vector<int>& fds = {});

}  // namespace cordon
