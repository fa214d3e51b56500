#pragma once

#include <cstdint>

#include "common/error.h"

namespace cordon::cli {

/// How many descriptors from 3 on systemd's activation hands to this process (sd_listen_fds(3)):
/// LISTEN_FDS, where LISTEN_PID is this process.
unsigned ListenFds();

/// Whether the `count` descriptors from 3 on are open. To be asked before anything is opened: what
/// the caller did not hand over would be the runtime's own, its lock or the host's /proc.
Status CheckPreserved(std::uint64_t count);

}  // namespace cordon::cli
