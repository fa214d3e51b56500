#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "tests/tracer/learned.h"

namespace cordon {
namespace {

using ::testing::Contains;

TEST(ShortChildren, TwentyThousandAreAllFollowed) {
  for (const TraceTier tier : {TraceTier::kExact, TraceTier::kFiltered}) {
    const testing::Learned learned = testing::Learn({"tasks", "short_children"}, tier);
    EXPECT_EQ(learned.exit_status, 0);
    EXPECT_EQ(learned.run.counts.tasks, 20001U);
    EXPECT_THAT(testing::FailuresOf(learned.run.recording, "/cordon-victim/short-children"),
                Contains(ENOENT));
  }
}

}  // namespace
}  // namespace cordon
