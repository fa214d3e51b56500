#pragma once

#include "common/error.h"
#include "common/unique_fd.h"
#include "model/sandbox_config.h"

namespace cordon {

/// Takes `port.host` of the host: a socket bound there, listening where it is TCP's, non-blocking.
/// Fails naming the port where another socket has it or the caller may not have it.
Expected<UniqueFd> TakeHostPort(const PublishedPort& port);

/// "8080", "127.0.0.1:8080/udp": the host's side, for messages.
std::string HostSide(const PublishedPort& port);

}  // namespace cordon
