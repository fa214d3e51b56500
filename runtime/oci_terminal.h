#pragma once

#include <string>

#include "common/error.h"
#include "common/unique_fd.h"

namespace cordon {

/// Sends the descriptor `file` over a new connection to the stream socket at `path`, with `text`
/// beside it: a terminal's master to an engine's console socket, a listener to a seccomp agent.
Status SendToSocket(const std::string& path, int file, const std::string& text);

}  // namespace cordon
