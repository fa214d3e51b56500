#include "runtime/hold_workload.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <utility>

#include "common/unique_fd.h"

namespace cordon {
namespace {

constexpr int kLongMs = 20'000;
constexpr int kShortMs = 100;
constexpr int kReturned = 7;
constexpr int kQuit = 125;

/// A holder with a child that sleeps, in AwaitUnlessEnded().
class AwaitUnlessEndedTest : public ::testing::Test {
 protected:
  AwaitUnlessEndedTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
    supervisor_ = UniqueFd(ends[0]);
    UniqueFd inner(ends[1]);
    holder_ = ::fork();
    if (holder_ == 0) {
      supervisor_.Reset();
      Hold(inner.get());
    }
    inner.Reset();
    pidfd_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, holder_, 0)));
    EXPECT_EQ(::read(supervisor_.get(), &child_, sizeof child_), ssize_t{sizeof child_});
  }

  ~AwaitUnlessEndedTest() override {
    (void)::kill(child_, SIGKILL);
    (void)::kill(holder_, SIGKILL);
    (void)::waitpid(holder_, nullptr, 0);
  }

  [[noreturn]] static void Hold(int supervisor) {
    const pid_t child = ::fork();
    if (child == 0) {
      (void)::pause();
      ::_exit(0);
    }
    const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
    (void)!::write(supervisor, &child, sizeof child);
    AwaitUnlessEnded(supervisor, SetupMessageKind::kGo, pidfd);
    ::_exit(kReturned);
  }

  bool Returns(int milliseconds) const {
    pollfd wait{pidfd_.get(), POLLIN, 0};
    return ::poll(&wait, 1, milliseconds) == 1;
  }

  int HowItEnded() const {
    siginfo_t info{};
    EXPECT_TRUE(Returns(kLongMs));
    EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(holder_), &info, WEXITED | WNOWAIT | WNOHANG), 0);
    return info.si_status;
  }

  UniqueFd supervisor_;
  UniqueFd pidfd_;
  pid_t holder_ = -1;
  pid_t child_ = -1;
};

TEST_F(AwaitUnlessEndedTest, WaitsForTheSupervisor) {
  EXPECT_FALSE(Returns(kShortMs));
  EXPECT_EQ(SendSetupMessage(supervisor_.get(), {SetupMessageKind::kGo, LaunchStep::kNone, 0, 0}),
            0);
  EXPECT_EQ(HowItEnded(), kReturned);
}

TEST_F(AwaitUnlessEndedTest, ReturnsForAChildThatHasEndedThoughTheSupervisorIsSilent) {
  EXPECT_EQ(::kill(child_, SIGKILL), 0);
  EXPECT_EQ(HowItEnded(), kReturned);
}

TEST_F(AwaitUnlessEndedTest, QuitsWithTheSupervisor) {
  supervisor_.Reset();
  EXPECT_EQ(HowItEnded(), kQuit);
}

}  // namespace
}  // namespace cordon
