#include "common/forked_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

namespace cordon {
namespace {

using ::testing::HasSubstr;

TEST(RunForked, BringsBackWhatTheTaskReturned) {
  const std::string large(1U << 20, 'x');
  const Expected<std::string> result = RunForked([&] { return std::string(large); }, "test");
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(*result, large);
}

TEST(RunForked, SurvivesTheTask) {
  const Expected<std::string> result =
      RunForked([]() -> std::string { _exit(3); }, "a task that exits");
  ASSERT_FALSE(result.has_value());
  EXPECT_THAT(result.error().message, HasSubstr("a task that exits"));
}

TEST(RunForked, EndsTheTaskAtItsLimit) {
  // Neither of them may keep the child alive.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGXCPU);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  const auto before = std::signal(SIGXCPU, SIG_IGN);
  const Expected<std::string> result = RunForked(
      []() -> std::string {
        for (;;) {
          (void)::getppid();
        }
      },
      "a task without an end", {.processor_seconds = 1});
  EXPECT_NE(std::signal(SIGXCPU, before), SIG_ERR);
  sigprocmask(SIG_UNBLOCK, &signals, nullptr);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::kLimit);
  EXPECT_EQ(result.error().message, "a task without an end took more than 1 s of processor time");
}

TEST(RunForked, LeavesATaskWithinItsLimitAlone) {
  const Expected<std::string> result =
      RunForked([] { return std::string("done"); }, "a short task", {.processor_seconds = 1});
  EXPECT_EQ(result, "done");
}

}  // namespace
}  // namespace cordon
