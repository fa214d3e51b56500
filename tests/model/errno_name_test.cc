#include "model/errno_name.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace cordon {
namespace {

TEST(ErrnoNameTest, EveryNumberRoundTrips) {
  for (int number = 1; number <= 4095; ++number) {
    EXPECT_EQ(ErrnoFromName(ErrnoName(number)), number) << ErrnoName(number);
  }
}

TEST(ErrnoNameTest, RefusesWhatIsNone) {
  for (const char* bad : {"", "E", "E0", "E4096", "ENOSUCH", "ok", "2"}) {
    EXPECT_EQ(ErrnoFromName(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(ErrnoFromName("EWOULDBLOCK"), EAGAIN);
}

}  // namespace
}  // namespace cordon
