#include "model/outcome.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>

namespace cordon {
namespace {

TEST(OutcomeTest, IsWhatAShellWouldReturn) {
  EXPECT_EQ(ExitStatus(Exited{3}), 3);
  EXPECT_EQ(ExitStatus(Signaled{SIGKILL}), 137);
  EXPECT_EQ(ExitStatus(NotExecuted{ENOENT}), 127);
  EXPECT_EQ(ExitStatus(NotExecuted{EACCES}), 126);
}

TEST(OutcomeTest, DescribesItself) {
  EXPECT_EQ(Describe(Exited{0}), "exited 0");
  EXPECT_EQ(Describe(Signaled{SIGTERM}), "killed by SIGTERM");
  EXPECT_EQ(Describe(Signaled{40}), "killed by signal 40");
}

}  // namespace
}  // namespace cordon
