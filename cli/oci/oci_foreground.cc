#include "cli/oci/oci_foreground.h"

#include <sys/wait.h>

#include <cerrno>

#include "common/file.h"

namespace cordon::cli {

Foreground::Foreground() : before_() {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before_);
}

Foreground::~Foreground() {
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

int Foreground::Await(pid_t pid) {
  constexpr int kSignalled = 128;
  sigset_t all;
  ::sigfillset(&all);
  while (true) {
    int status = 0;
    pid_t ended = 0;
    while ((ended = ::waitpid(-1, &status, WNOHANG)) > 0) {
      if (ended == pid) {
        return WIFSIGNALED(status) ? kSignalled + WTERMSIG(status) : WEXITSTATUS(status);
      }
    }
    if (ended < 0 && errno == ECHILD) {
      return kFailed;
    }
    siginfo_t info{};
    const int signal = ::sigwaitinfo(&all, &info);
    // What the terminal sends reaches the process by itself, unless it has a session of its own.
    if (signal > 0 && signal != SIGCHLD) {
      (void)::kill(pid, signal);
    }
  }
}

bool HostRunsAppArmor() {
  constexpr std::size_t kLimit = 64;
  const Expected<std::string> enabled = ReadFile("/sys/module/apparmor/parameters/enabled", kLimit);
  return enabled && enabled->starts_with("Y");
}

}  // namespace cordon::cli
