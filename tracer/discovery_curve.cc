#include "tracer/discovery_curve.h"

namespace cordon {

void DiscoveryCurve::Add(std::uint64_t now_ms) {
  const std::uint64_t items = this->items() + 1;
  if (!points_.empty() && points_.back().ms == now_ms) {
    points_.back().items = items;
    return;
  }
  if (points_.size() == kMaxDiscoveryPoints) {
    std::vector<DiscoveryPoint> kept;
    for (std::size_t i = 1; i < points_.size(); i += 2) {
      kept.push_back(points_[i]);
    }
    points_ = std::move(kept);
  }
  points_.push_back({.ms = now_ms, .items = items});
}

}  // namespace cordon
