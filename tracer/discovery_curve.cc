#include "tracer/discovery_curve.h"

namespace cordon {
namespace {

/// The last point of each of kMaxDiscoveryPoints / 2 equal spans of time, so that the beginning is
/// kept as well as the end however often this is done.
std::vector<DiscoveryPoint> Thinned(const std::vector<DiscoveryPoint>& points) {
  constexpr std::uint64_t kSpans = kMaxDiscoveryPoints / 2;
  const std::uint64_t first = points.front().ms;
  const std::uint64_t span = (points.back().ms - first) / kSpans + 1;
  std::vector<DiscoveryPoint> kept;
  for (const DiscoveryPoint& point : points) {
    if (!kept.empty() && (kept.back().ms - first) / span == (point.ms - first) / span) {
      kept.back() = point;
    } else {
      kept.push_back(point);
    }
  }
  return kept;
}

}  // namespace

void DiscoveryCurve::Add(std::uint64_t now_ms) {
  const std::uint64_t items = this->items() + 1;
  if (!points_.empty() && points_.back().ms == now_ms) {
    points_.back().items = items;
    return;
  }
  if (points_.size() == kMaxDiscoveryPoints) {
    points_ = Thinned(points_);
  }
  points_.push_back({.ms = now_ms, .items = items});
}

}  // namespace cordon
