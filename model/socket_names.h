#pragma once

#include <optional>
#include <string_view>

namespace cordon {

/// "inet" for AF_INET, …; nothing for a family without a row (socket(2), address_families(7)).
std::optional<std::string_view> SocketFamilyName(int family);
std::optional<int> SocketFamilyFromName(std::string_view name);

/// "stream" for SOCK_STREAM, …
std::optional<std::string_view> SocketTypeName(int type);
std::optional<int> SocketTypeFromName(std::string_view name);

}  // namespace cordon
