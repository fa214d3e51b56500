#include "generator/calibration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

namespace cordon {
namespace {

/// A runtime that makes `calls` under its filter, each time.
ContainerStarts Makes(const SyscallNames& calls) {
  return [calls](const SyscallNames& allowed) -> Expected<bool> {
    return allowed.contains("execve") && allowed.contains("exit_group") &&
           std::ranges::includes(allowed, calls);
  };
}

CalibrationOptions Options() {
  return {.candidates = {"brk", "capset", "close", "execve", "exit_group", "futex", "mount",
                         "openat", "prctl", "read", "setgid", "socket", "write"},
          .likely = {"close", "write"},
          .assumed = {}};
}

TEST(Calibrate, FindsWhatIsMadeAndNothingElse) {
  const Expected<Calibration> found =
      Calibrate(Options(), Makes({"capset", "close", "openat", "setgid", "write"}));
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->needed,
            (SyscallNames{"capset", "close", "execve", "openat", "setgid", "write"}));
}

TEST(Calibrate, FindsThatNothingIsMadeButExecve) {
  const Expected<Calibration> found = Calibrate(Options(), Makes({}));
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->needed, SyscallNames{"execve"});
}

TEST(Calibrate, AllowsWhatIsMadeAtAnyTimeAndDoesNotMeasureIt) {
  CalibrationOptions options = Options();
  options.assumed = {"futex"};
  const Expected<Calibration> found = Calibrate(options, Makes({"futex", "read"}));
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->needed, (SyscallNames{"execve", "read"}));
}

TEST(Calibrate, LooksAgainWhereTheFoundSetDoesNotStartAContainerEveryTime) {
  // brk is made from the 8th start on: after the first round, as a garbage collector may.
  unsigned starts = 0;
  const auto container = [&](const SyscallNames& allowed) -> Expected<bool> {
    ++starts;
    return *Makes({"close"})(allowed) && (starts < 8 || allowed.contains("brk"));
  };
  const Expected<Calibration> found = Calibrate(Options(), container);
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_TRUE(found->needed.contains("brk"));
  EXPECT_TRUE(found->needed.contains("close"));
}

TEST(Calibrate, FailsWhereNothingCanBeLearned) {
  const auto never = [](const SyscallNames&) -> Expected<bool> { return false; };
  const auto always = [](const SyscallNames&) -> Expected<bool> { return true; };
  const auto broken = [](const SyscallNames&) -> Expected<bool> {
    return Fail(SystemError(ENOENT, "runc"));
  };
  unsigned starts = 0;
  const auto changing = [&](const SyscallNames& allowed) -> Expected<bool> {
    return allowed.contains("execve") && (allowed.size() > 8 || ++starts % 2 == 0);
  };
  EXPECT_EQ(Calibrate(Options(), never).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(Calibrate(Options(), always).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(Calibrate(Options(), broken).error().sys_errno, ENOENT);
  const Expected<Calibration> changed = Calibrate(Options(), changing);
  ASSERT_FALSE(changed.has_value());
  EXPECT_EQ(changed.error().sys_errno, EAGAIN);
}

TEST(WriteBaseSet, IsWhatReadBaseSetReads) {
  const std::vector<RuntimeCalls> groups = {{.reason = "measured",
                                             .versions = "1.1",
                                             .first = {1, 1},
                                             .last = {1, 1},
                                             .no_new_privileges = NoNewPrivileges::kOff,
                                             .at_any_time = false,
                                             .names = {"close", "execve"}},
                                            {.reason = "threads",
                                             .versions = "1.1",
                                             .first = {1, 1},
                                             .last = {1, 1},
                                             .no_new_privileges = NoNewPrivileges::kEither,
                                             .at_any_time = true,
                                             .names = {"futex"}}};
  const Expected<std::vector<RuntimeCalls>> read =
      ReadBaseSet(WriteBaseSet("runc", "1.1.5", groups), "set.json");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(*read, groups);
}

}  // namespace
}  // namespace cordon
