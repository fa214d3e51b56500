#include "runtime/owner_watch.h"

#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "common/unique_fd.h"

namespace cordon {
namespace {

/// Waits until the process behind the pidfd `owner` is gone. Not by a pipe's end: the sandbox's
/// first process, which may be frozen, would hold it too.
[[noreturn]] void Watch(int owner, const std::function<void()>& afterwards) {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  (void)::setsid();  // not in the terminal's process group: Ctrl-C is not for it
  (void)::prctl(PR_SET_NAME, "cordon-cleanup");
  if (::dup2(owner, 0) == 0) {
    (void)::close_range(1, ~0U, 0);
  }
  pollfd wait{0, POLLIN, 0};
  while (::poll(&wait, 1, -1) < 0 && errno == EINTR) {
  }
  afterwards();
  ::_exit(0);
}

}  // namespace

OwnerWatch::OwnerWatch(OwnerWatch&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

OwnerWatch& OwnerWatch::operator=(OwnerWatch&& other) noexcept {
  if (this != &other) {
    End();
    pid_ = std::exchange(other.pid_, -1);
  }
  return *this;
}

void OwnerWatch::End() noexcept {
  if (pid_ > 0) {
    (void)::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
  }
}

Expected<OwnerWatch> OwnerWatch::Start(const std::function<void()>& afterwards) {
  const UniqueFd own(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (!own.valid()) {
    const int open_errno = errno;
    return Fail(SystemError(open_errno, "pidfd_open"));
  }
  OwnerWatch watch;
  watch.pid_ = ::fork();
  if (watch.pid_ == 0) {
    Watch(own.get(), afterwards);
  }
  if (watch.pid_ < 0) {
    const int fork_errno = errno;
    return Fail(SystemError(fork_errno, "making a process that cleans up"));
  }
  return watch;
}

}  // namespace cordon
