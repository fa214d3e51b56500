#pragma once

#include <vector>

#include "model/recording.h"
#include "model/sandbox_config.h"

namespace cordon {

struct NetworkNeed {
  NetworkMode mode = NetworkMode::kNone;
  std::vector<PublishedPort>
      published;  ///< the TCP ports that it listened on, under the same numbers
};

/// What network `recording` needs. A workload that only serves TCP gets a namespace of its own with
/// its ports published into it; one that reached out (a connection or datagram to an address that
/// it did not serve itself, or to a foreign abstract socket), that serves UDP, or that binds to an
/// address of one interface gets the host's.
NetworkNeed NetworkNeedOf(const Recording& recording);

}  // namespace cordon
