#include "common/child_process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <string>

namespace cordon {
namespace {

using std::chrono::seconds;

TEST(RunProgramTest, GivesInputAndTakesBothOutputs) {
  const auto output = RunProgram({"sh", "-c", "cat; echo oops >&2; exit 3"}, seconds(30), "hello");
  ASSERT_TRUE(output);
  EXPECT_EQ(output->standard_output, "hello");
  EXPECT_EQ(output->standard_error, "oops\n");
  EXPECT_EQ(output->exit_code, 3);
}

TEST(RunProgramTest, SurvivesAProgramThatDoesNotReadALargeInput) {
  const auto output =
      RunProgram({"sh", "-c", "exec true"}, seconds(30), std::string(std::size_t{4} << 20, 'x'));
  ASSERT_TRUE(output);
  EXPECT_EQ(output->exit_code, 0);
}

TEST(RunProgramTest, ReportsASignalAsAShellWould) {
  EXPECT_EQ(RunProgram({"sh", "-c", "kill -9 $$"}, seconds(30))->exit_code, 137);
}

TEST(RunProgramTest, KillsAndReapsAtTheDeadline) {
  const auto output = RunProgram({"sleep", "600"}, std::chrono::milliseconds(50));
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().sys_errno, ETIMEDOUT);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(RunProgramTest, NamesAMissingProgram) {
  const auto output = RunProgram({"no-such-program-of-ours"}, seconds(1));
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().sys_errno, ENOENT);
}

}  // namespace
}  // namespace cordon
