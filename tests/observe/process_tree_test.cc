#include "observe/process_tree.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

namespace cordon {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr pid_t kNobody = 1 << 30;  // beyond PID_MAX_LIMIT

TEST(ProcessTreeTest, FindsChildrenAfterTheirParents) {
  int gate[2];
  ASSERT_EQ(::pipe2(gate, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    (void)::close(gate[1]);
    char byte = 0;
    (void)!::read(gate[0], &byte, 1);
    ::_exit(0);
  }
  const std::vector<pid_t> tree = ProcessTree(::getpid());
  EXPECT_EQ(tree.front(), ::getpid());
  EXPECT_THAT(tree, Contains(child));
  EXPECT_THAT(ProcessTree(child), ElementsAre(child));
  (void)::close(gate[1]);
  (void)::waitpid(child, nullptr, 0);
  (void)::close(gate[0]);
  EXPECT_THAT(ProcessTree(::getpid()), Not(Contains(child)));
}

TEST(ProcessTreeTest, FindsThreads) {
  EXPECT_THAT(ThreadsOf(::getpid()), Contains(::gettid()));
  pid_t other = 0;
  std::thread([&] {
    other = ::gettid();
    EXPECT_THAT(ThreadsOf(::getpid()), Contains(other));
  }).join();
  EXPECT_THAT(ThreadsOf(kNobody), IsEmpty());
}

TEST(ProcessTreeTest, FindsDescriptors) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  EXPECT_THAT(OpenDescriptors(::getpid()), Contains(ends[1]));
  (void)::close(ends[0]);
  (void)::close(ends[1]);
  EXPECT_THAT(OpenDescriptors(::getpid()), Not(Contains(ends[1])));
  EXPECT_THAT(OpenDescriptors(kNobody), IsEmpty());
}

}  // namespace
}  // namespace cordon
