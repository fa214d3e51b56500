#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/error.h"
#include "model/sandbox_config.h"

namespace cordon {

/// A network namespace's way out and its published ports; both end with this, and with the process
/// that made it.
class PrivateNetwork {
 public:
  PrivateNetwork() = default;
  PrivateNetwork(const PrivateNetwork&) = delete;
  PrivateNetwork& operator=(const PrivateNetwork&) = delete;
  virtual ~PrivateNetwork() = default;

  /// The address inside.
  virtual const std::string& address() const = 0;
};

using Warn = std::function<void(const std::string&)>;

/// A pair of virtual devices, eth0 in the network namespace of the process `first`, which must not
/// be reaped meanwhile, and rules of nftables. The caller needs CAP_NET_ADMIN in its own network
/// namespace and over that of `first`. Turns on net.ipv4.ip_forward. Fails naming what is missing,
/// or the port that is in use; `warn` takes a sentence for what works only in part here.
Expected<std::unique_ptr<PrivateNetwork>> MakeVethNetwork(
    pid_t first, const std::vector<PublishedPort>& published, const Warn& warn);

/// A pasta(1) process that carries what eth0 in the network namespace of `first` sends, as the
/// caller's own connections; it reaches no loopback address of the host's. The caller must be
/// allowed to enter the user namespace of `first`, and to open /dev/net/tun. Fails as above.
Expected<std::unique_ptr<PrivateNetwork>> MakePastaNetwork(
    pid_t first, const std::vector<PublishedPort>& published);

}  // namespace cordon
