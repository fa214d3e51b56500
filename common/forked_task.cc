#include "common/forked_task.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string_view>

#include "common/unique_fd.h"

namespace cordon {
namespace {

/// SIGXCPU ends the child at the limit, whatever the parent does with that signal, and leaves no
/// core file.
void Limit(const ForkedTaskLimits& limits) {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  const rlimit seconds{.rlim_cur = limits.processor_seconds,
                       .rlim_max = limits.processor_seconds + 1};
  sigset_t signals;
  (void)sigemptyset(&signals);
  (void)sigaddset(&signals, SIGXCPU);
  if (setrlimit(RLIMIT_CORE, &none) != 0 || signal(SIGXCPU, SIG_DFL) == SIG_ERR ||
      sigprocmask(SIG_UNBLOCK, &signals, nullptr) != 0 || setrlimit(RLIMIT_CPU, &seconds) != 0) {
    _exit(1);
  }
}

[[noreturn]] void RunChild(const std::function<std::string()>& task, const ForkedTaskLimits& limits,
                           int pipe) {
  if (limits.processor_seconds > 0) {
    Limit(limits);
  }
  // The library prints to standard error what it also reports; the parent reports it.
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0) {
    (void)dup2(null, STDOUT_FILENO);
    (void)dup2(null, STDERR_FILENO);
  }
  const std::string result = task();
  std::string_view rest = result;
  while (!rest.empty()) {
    const ssize_t written = write(pipe, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      _exit(1);
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  _exit(0);
}

}  // namespace

Expected<std::string> RunForked(const std::function<std::string()>& task, const std::string& what,
                                const ForkedTaskLimits& limits) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Fail(SystemError(errno, "pipe2"));
  }
  UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  (void)fflush(nullptr);  // otherwise what is buffered could come out twice
  const pid_t child = fork();
  if (child < 0) {
    return Fail(SystemError(errno, "fork"));
  }
  if (child == 0) {
    reader.Reset();
    RunChild(task, limits, writer.get());
  }
  writer.Reset();
  std::string result;
  std::array<char, 1U << 16> chunk{};
  int read_errno = 0;
  for (;;) {
    const ssize_t got = read(reader.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      read_errno = got < 0 ? errno : 0;
      break;
    }
    result.append(chunk.data(), static_cast<std::size_t>(got));
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (read_errno != 0) {
    return Fail(SystemError(read_errno, what));
  }
  if (limits.processor_seconds > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU) {
    return Fail(MakeError(ErrorCode::kLimit, fmt::format("{} took more than {} s of processor time",
                                                         what, limits.processor_seconds)));
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return Fail(
        MakeError(ErrorCode::kInternal,
                  fmt::format("{}: the child process ended with wait status {:#x}", what, status)));
  }
  return result;
}

}  // namespace cordon
