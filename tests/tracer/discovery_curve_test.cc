#include "tracer/discovery_curve.h"

#include <gtest/gtest.h>

namespace cordon {
namespace {

TEST(DiscoveryCurve, HasOnePointAMoment) {
  DiscoveryCurve curve;
  curve.Add(5);
  curve.Add(5);
  curve.Add(9);
  EXPECT_EQ(curve.points(),
            (std::vector<DiscoveryPoint>{{.ms = 5, .items = 2}, {.ms = 9, .items = 3}}));
  EXPECT_EQ(curve.last_ms(), 9U);
}

TEST(DiscoveryCurve, StaysBoundedAndKeepsTheLast) {
  DiscoveryCurve curve;
  constexpr std::uint64_t kMany = 10'000;
  for (std::uint64_t ms = 1; ms <= kMany; ++ms) {
    curve.Add(ms);
    ASSERT_LE(curve.points().size(), kMaxDiscoveryPoints);
  }
  EXPECT_EQ(curve.items(), kMany);
  EXPECT_EQ(curve.points().back(), (DiscoveryPoint{.ms = kMany, .items = kMany}));
  for (const DiscoveryPoint& point : curve.points()) {
    EXPECT_EQ(point.ms, point.items);  // no point is moved, only left out
  }
}

TEST(DiscoveryCurve, KeepsTheBeginningOfALongRun) {
  DiscoveryCurve curve;
  constexpr std::uint64_t kMany = 1'000'000;
  for (std::uint64_t ms = 1; ms <= kMany; ++ms) {
    curve.Add(ms);
  }
  EXPECT_LT(curve.points().front().ms, kMany / 20);
  EXPECT_GT(curve.points().size(), kMaxDiscoveryPoints / 4);
}

TEST(DiscoveryCurve, BeginsWithNothing) {
  EXPECT_EQ(DiscoveryCurve().items(), 0U);
  EXPECT_EQ(DiscoveryCurve().last_ms(), 0U);
}

}  // namespace
}  // namespace cordon
