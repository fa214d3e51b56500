#include "model/recording_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace cordon {
namespace {

/// In the order of the enumeration.
constexpr std::array<std::string_view, 6> kOperations{"create", "bind",   "connect",
                                                      "listen", "accept", "send"};

}  // namespace

std::string RecordingKey(const ScalarArgument& scalar) {
  return scalar.member.empty() ? fmt::format("{}", scalar.index)
                               : fmt::format("{}.{}", scalar.index, scalar.member);
}

std::string_view Name(SocketOperation operation) {
  return kOperations.at(static_cast<std::size_t>(operation));
}

std::optional<SocketOperation> SocketOperationFromName(std::string_view name) {
  const auto* found = std::find(kOperations.begin(), kOperations.end(), name);
  return found == kOperations.end()
             ? std::nullopt
             : std::optional(static_cast<SocketOperation>(found - kOperations.begin()));
}

}  // namespace cordon
