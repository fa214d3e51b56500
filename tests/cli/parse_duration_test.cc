#include "cli/parse_duration.h"

#include <gtest/gtest.h>

namespace cordon::cli {
namespace {

using std::chrono::milliseconds;

TEST(ParseDuration, TakesUnits) {
  EXPECT_EQ(ParseDuration("500ms"), milliseconds(500));
  EXPECT_EQ(ParseDuration("30s"), milliseconds(30'000));
  EXPECT_EQ(ParseDuration("30"), milliseconds(30'000));
  EXPECT_EQ(ParseDuration("5m"), milliseconds(300'000));
  EXPECT_EQ(ParseDuration("2h"), milliseconds(7'200'000));
}

TEST(ParseDuration, RefusesEverythingElse) {
  for (const char* text : {"", "s", "ms", "0", "0s", "-1s", "1.5s", "1 s", "1d", "soon", "1s ",
                           "99999999999999999999", "9000h"}) {
    EXPECT_EQ(ParseDuration(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace cordon::cli
