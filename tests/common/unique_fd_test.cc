#include "common/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <utility>

namespace cordon {
namespace {

bool IsOpen(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

int OpenNull() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

TEST(UniqueFdTest, ClosesAtTheEndOfTheScope) {
  int number = -1;
  {
    const UniqueFd fd(OpenNull());
    number = fd.get();
    EXPECT_TRUE(IsOpen(number));
  }
  EXPECT_FALSE(IsOpen(number));
}

TEST(UniqueFdTest, MoveLeavesTheSourceEmptyAndAssignmentClosesTheOld) {
  UniqueFd first(OpenNull());
  UniqueFd second(OpenNull());
  const int old = second.get();
  const int kept = first.get();
  second = std::move(first);
  EXPECT_FALSE(IsOpen(old));
  EXPECT_TRUE(IsOpen(kept));
  EXPECT_FALSE(first.valid());  // NOLINT(bugprone-use-after-move): the empty state is the contract
  EXPECT_EQ(second.get(), kept);
}

TEST(UniqueFdTest, SelfMoveKeepsTheDescriptor) {
  UniqueFd fd(OpenNull());
  UniqueFd& same = fd;
  fd = std::move(same);
  EXPECT_TRUE(IsOpen(fd.get()));
}

TEST(UniqueFdTest, ReleaseGivesTheDescriptorAway) {
  UniqueFd fd(OpenNull());
  const UniqueFd other(fd.Release());
  EXPECT_FALSE(fd.valid());
  EXPECT_TRUE(IsOpen(other.get()));
}

TEST(UniqueFdTest, ResetToTheSameNumberDoesNotCloseIt) {
  UniqueFd fd(OpenNull());
  fd.Reset(fd.get());
  EXPECT_TRUE(IsOpen(fd.get()));
}

}  // namespace
}  // namespace cordon
