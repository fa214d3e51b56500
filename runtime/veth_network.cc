#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <random>
#include <string_view>

#include "common/child_process.h"
#include "common/file.h"
#include "common/text.h"
#include "model/ipv4_address.h"
#include "runtime/nftables_table.h"
#include "runtime/private_network.h"
#include "runtime/published_port.h"

namespace cordon {
namespace {

constexpr std::chrono::seconds kPatience{10};

/// The host's end of every pair has this one address, which no other network may use (RFC 3927):
/// the sandbox's gateway.
constexpr std::string_view kGateway = "169.254.1.1";

/// Where the sandboxes' addresses come from: 10.214.0.0/16.
constexpr std::string_view kPool = "10.214";

class VethNetwork final : public PrivateNetwork {
 public:
  VethNetwork(std::string address, NftablesTable table, std::vector<UniqueFd> taken)
      : address_(std::move(address)), table_(std::move(table)), taken_(std::move(taken)) {}

  const std::string& address() const override { return address_; }

 private:
  std::string address_;
  NftablesTable table_;
  std::vector<UniqueFd> taken_;  ///< the published ports: nobody else may listen there
};

/// ip(8) on `commands`, one a line. What it said when it failed.
Expected<std::string> RunIp(std::vector<std::string> enter, const std::string& commands) {
  enter.insert(enter.end(), {"ip", "-batch", "-"});
  ASSIGN_OR_RETURN(const ProgramOutput output, RunProgram(enter, kPatience, commands));
  if (output.exit_code == 0) {
    return std::string();
  }
  const std::string_view said(output.standard_error);
  return "ip: " + std::string(said.substr(0, said.find('\n')));
}

Status RequireIp(std::vector<std::string> enter, const std::string& commands) {
  ASSIGN_OR_RETURN(const std::string said, RunIp(std::move(enter), commands));
  if (!said.empty()) {
    return Fail(MakeError(ErrorCode::kSystem, "giving the sandbox a network: " + Quote(said)));
  }
  return {};
}

Status WriteSetting(const std::string& path, std::string_view value) {
  ASSIGN_OR_RETURN(const UniqueFd file, OpenAt(AT_FDCWD, path, O_WRONLY));
  if (::write(file.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size())) {
    const int write_errno = errno;
    return Fail(SystemError(write_errno, "writing " + path));
  }
  return {};
}

/// An address that no other sandbox here has: the kernel takes a route to it once only.
Expected<std::string> TakeAddress(const std::string& device, std::random_device& random) {
  constexpr unsigned kAttempts = 64;
  std::string said;
  for (unsigned attempt = 0; attempt < kAttempts; ++attempt) {
    const std::uint32_t number = random();
    std::string address = fmt::format("{}.{}.{}", kPool, number & 255, 1 + ((number >> 8) % 254));
    ASSIGN_OR_RETURN(said, RunIp({}, fmt::format("route add {}/32 dev {}\n", address, device)));
    if (said.empty()) {
      return address;
    }
    if (!said.contains("File exists")) {
      break;
    }
  }
  return Fail(MakeError(ErrorCode::kSystem, "no address for the sandbox: " + Quote(said)));
}

/// The rules of one sandbox. What it sends must come from its address and may not go to the host's
/// loopback addresses, which route_localnet, for published ports that the host itself asks for at
/// 127.0.0.1, would let it reach otherwise.
std::string Rules(const std::string& device, const std::string& address,
                  const std::vector<PublishedPort>& published) {
  const std::string& table = device;
  std::string rules = fmt::format(
      "add chain ip {0} guard {{ type filter hook prerouting priority raw; }}\n"
      "add rule ip {0} guard iifname {0} ip saddr != {1} drop\n"
      "add rule ip {0} guard iifname {0} ip daddr 127.0.0.0/8 drop\n"
      "add chain ip {0} inbound {{ type nat hook prerouting priority dstnat; }}\n"
      "add chain ip {0} local {{ type nat hook output priority -100; }}\n"
      "add chain ip {0} outbound {{ type nat hook postrouting priority srcnat; }}\n"
      "add rule ip {0} outbound ip saddr {1} masquerade\n"
      "add rule ip {0} outbound oifname {0} ip saddr 127.0.0.0/8 masquerade\n",
      table, address);
  for (const PublishedPort& port : published) {
    for (const std::string_view chain : {"inbound", "local"}) {
      rules += fmt::format(
          "add rule ip {} {} {} {} dport {} dnat to {}:{}\n", table, chain,
          port.address == 0 ? "fib daddr type local" : "ip daddr " + Ipv4AddressText(port.address),
          port.transport == Transport::kUdp ? "udp" : "tcp", port.host, address, port.container);
    }
  }
  return rules;
}

Status SetDevice(const std::string& device, const Warn& warn) {
  const std::string ipv6 = "/proc/sys/net/ipv6/conf/" + device + "/disable_ipv6";
  if (::access(ipv6.c_str(), F_OK) == 0) {
    // Otherwise its link-local address reaches what the host serves on every address.
    RETURN_IF_ERROR(WriteSetting(ipv6, "1"));
  }
  RETURN_IF_ERROR(WriteSetting("/proc/sys/net/ipv4/conf/" + device + "/route_localnet", "1"));
  const std::string forward = "/proc/sys/net/ipv4/ip_forward";
  ASSIGN_OR_RETURN(const std::string forwards, ReadFile(forward, 16));
  if (forwards.starts_with("0")) {
    RETURN_IF_ERROR(WriteSetting(forward, "1"));
    warn(
        "net.ipv4.ip_forward is turned on now: a private network needs it, and this host forwards "
        "other networks' packets too");
  }
  return {};
}

/// Docker has the host drop what it does not forward itself.
void WarnOfForwardPolicy(const Warn& warn) {
  const Expected<ProgramOutput> rules = RunProgram({"iptables", "-S", "FORWARD"}, kPatience);
  if (rules && rules->standard_output.starts_with("-P FORWARD DROP") &&
      !rules->standard_output.contains("cordon+")) {
    warn(
        "this host drops what it forwards (iptables -S FORWARD): the sandbox reaches the host "
        "only, "
        "until iptables -I FORWARD -i cordon+ -j ACCEPT; iptables -I FORWARD -o cordon+ -j ACCEPT");
  }
}

}  // namespace

Expected<std::unique_ptr<PrivateNetwork>> MakeVethNetwork(
    pid_t first, const std::vector<PublishedPort>& published, const Warn& warn) {
  std::vector<UniqueFd> taken;
  for (const PublishedPort& port : published) {
    ASSIGN_OR_RETURN(UniqueFd socket, TakeHostPort(port));
    taken.push_back(std::move(socket));
  }
  std::random_device random;
  // 15 characters: the longest name that a device may have.
  const std::string device = fmt::format("cordon-{:08x}", random());
  RETURN_IF_ERROR(RequireIp({}, fmt::format("link add {0} type veth peer name eth0 netns {1}\n"
                                            "addr add {2}/32 scope link dev {0}\n"
                                            "link set {0} up\n",
                                            device, first, kGateway)));
  RETURN_IF_ERROR(SetDevice(device, warn));
  ASSIGN_OR_RETURN(const std::string address, TakeAddress(device, random));
  RETURN_IF_ERROR(RequireIp({"nsenter", fmt::format("--net=/proc/{}/ns/net", first)},
                            fmt::format("addr add {0}/32 dev eth0\n"
                                        "link set eth0 up\n"
                                        "route add {1}/32 dev eth0\n"
                                        "route add default via {1} dev eth0\n",
                                        address, kGateway)));
  ASSIGN_OR_RETURN(NftablesTable table,
                   NftablesTable::Make(device, Rules(device, address, published)));
  WarnOfForwardPolicy(warn);
  return std::make_unique<VethNetwork>(address, std::move(table), std::move(taken));
}

}  // namespace cordon
