#include "model/ipv4_address.h"

#include <arpa/inet.h>

#include <array>

namespace cordon {

std::optional<std::uint32_t> ParseIpv4Address(const std::string& text) {
  in_addr address{};
  if (text.contains('\0') || ::inet_pton(AF_INET, text.c_str(), &address) != 1) {
    return std::nullopt;
  }
  return ntohl(address.s_addr);
}

std::string Ipv4AddressText(std::uint32_t address) {
  const in_addr network{htonl(address)};
  std::array<char, INET_ADDRSTRLEN> text{};
  return ::inet_ntop(AF_INET, &network, text.data(), text.size());
}

}  // namespace cordon
