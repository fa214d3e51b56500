#pragma once

#include <vector>

#include "model/recording.h"

namespace cordon {

/// How many distinct behaviours were seen by when, in at most kMaxDiscoveryPoints points however
/// long the run is: when they become too many, equal spans of time keep their last one each.
class DiscoveryCurve {
 public:
  /// One more at `now_ms`, which never decreases.
  void Add(std::uint64_t now_ms);

  std::uint64_t items() const { return points_.empty() ? 0 : points_.back().items; }

  /// When the last one came; 0 when there is none.
  std::uint64_t last_ms() const { return points_.empty() ? 0 : points_.back().ms; }

  const std::vector<DiscoveryPoint>& points() const { return points_; }

 private:
  std::vector<DiscoveryPoint> points_;
};

}  // namespace cordon
