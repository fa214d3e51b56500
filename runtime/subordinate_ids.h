#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "runtime/id_map.h"

namespace cordon {

/// `count` ids from `first` on that belong to a user beside its own (subuid(5)).
struct IdRange {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  bool operator==(const IdRange&) const = default;
};

/// A user's lines in /etc/subuid and /etc/subgid.
struct SubordinateIds {
  std::vector<IdRange> uids;
  std::vector<IdRange> gids;
  bool operator==(const SubordinateIds&) const = default;
};

/// The ranges of the user `name`, or of the number `uid`, in the text of such a file, in its order.
/// Lines that mean nothing are passed over, as newuidmap(1) does; one beyond the last id is none.
std::vector<IdRange> ParseSubordinateIds(std::string_view text, std::string_view name, uid_t uid);

/// Those of the user `uid`. Fails with kUnsupported where it has none, saying how to add them.
Expected<SubordinateIds> ReadSubordinateIds(uid_t uid);

/// The maps onto `ranges`: from 0 on when `outside` is 0 (root maps nothing of its own), else 0 is
/// `outside` and the ranges follow from 1 on. Ids that would not fit are left out.
std::vector<IdMap> MapOntoRanges(std::uint32_t outside, const std::vector<IdRange>& ranges);

}  // namespace cordon
