#include "tracer/signal_inbox.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace cordon {
namespace {

/// Else the wait would not come back before the test's time is over.
TEST(SignalInboxTest, TheSmallestTickCounts) {
  Expected<SignalInbox> inbox = SignalInbox::Open();
  ASSERT_TRUE(inbox.has_value());
  inbox->SetTick(std::chrono::milliseconds(1));
  inbox->SetTick(std::chrono::hours(1));
  (void)::pause();
  EXPECT_TRUE(SignalInbox::Pending());
}

}  // namespace
}  // namespace cordon
