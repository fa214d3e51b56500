#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace cordon {

/// "127.0.0.1" (inet_pton(3)) as a number in host byte order.
std::optional<std::uint32_t> ParseIpv4Address(const std::string& text);

std::string Ipv4AddressText(std::uint32_t address);

}  // namespace cordon
