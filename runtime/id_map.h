#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace cordon {

/// One line of the maps of a user namespace: `inside`…+count are `outside`…+count of the caller's.
struct IdMap {
  std::uint32_t inside = 0;
  std::uint32_t outside = 0;
  std::uint32_t count = 1;
  bool operator==(const IdMap&) const = default;
};

/// What `id` inside is outside. Without maps there is no user namespace, and it is the same;
/// nothing for an id that has no map.
inline std::optional<std::uint32_t> OutsideId(const std::vector<IdMap>& maps, std::uint32_t id) {
  for (const IdMap& map : maps) {
    if (id >= map.inside && id - map.inside < map.count) {
      return map.outside + (id - map.inside);
    }
  }
  return maps.empty() ? std::optional(id) : std::nullopt;
}

}  // namespace cordon
