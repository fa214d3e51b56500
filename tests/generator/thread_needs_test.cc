#include "generator/thread_needs.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "tests/testing/recorded.h"

namespace cordon {
namespace {

constexpr std::uint64_t kThread = 0x003d0f00;  // what pthread_create() asks for
constexpr std::uint64_t kFork = 0x01200011;    // CHILD_CLEARTID | CHILD_SETTID | SIGCHLD

TEST(MakesThreads, TellsThreadsFromProcesses) {
  testing::Recorded recorded;
  recorded.Calls({"execve", "fork", "vfork"}).Call("clone", {kFork}).Call("clone3", {kFork});
  EXPECT_FALSE(MakesThreads(recorded.recording()));
  recorded.Call("clone", {kThread}, EAGAIN);
  EXPECT_FALSE(MakesThreads(recorded.recording()));
  recorded.Call("clone", {kThread});
  EXPECT_TRUE(MakesThreads(recorded.recording()));
}

TEST(MakesThreads, SeesTheNewerCallAndManyArguments) {
  testing::Recorded newer;
  EXPECT_TRUE(MakesThreads(newer.Call("clone3", {kThread}).recording()));

  testing::Recorded many;
  for (std::uint64_t value = 0; value <= kMaxArgumentTuples; ++value) {
    many.Call("clone", {kFork + (value << 32U)});
  }
  EXPECT_FALSE(MakesThreads(many.recording()));
  EXPECT_TRUE(MakesThreads(many.Call("clone", {kThread}).recording()));
}

}  // namespace
}  // namespace cordon
