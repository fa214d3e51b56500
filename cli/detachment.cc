#include "cli/detachment.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <utility>

#include "cli/command.h"
#include "cli/report_error.h"

namespace cordon::cli {
namespace {

constexpr int kReport = 3;

struct PipeEnds {
  UniqueFd reader;
  UniqueFd writer;
};

Expected<PipeEnds> MakePipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    const int pipe_errno = errno;
    return Fail(SystemError(pipe_errno, "pipe2"));
  }
  return PipeEnds{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

/// Gives the child its streams: a caller that reads this command's output to its end must not wait
/// for the child. Nothing else that was open stays open.
[[nodiscard]] bool TakeStreams(PipeEnds& report, PipeEnds& messages) {
  // Above the numbers that are given away, which any of these may have.
  const int word = ::fcntl(report.writer.Release(), F_DUPFD_CLOEXEC, kReport + 1);
  const int text = ::fcntl(messages.writer.Release(), F_DUPFD_CLOEXEC, kReport + 1);
  (void)report.reader.Release();
  (void)messages.reader.Release();
  const int null = ::fcntl(::open("/dev/null", O_RDWR | O_CLOEXEC), F_DUPFD_CLOEXEC, kReport + 1);
  return word >= 0 && text >= 0 && null >= 0 && ::dup2(null, STDIN_FILENO) >= 0 &&
         ::dup2(null, STDOUT_FILENO) >= 0 && ::dup2(text, STDERR_FILENO) >= 0 &&
         ::dup3(word, kReport, O_CLOEXEC) >= 0 && ::close_range(kReport + 1, ~0U, 0) == 0;
}

/// Copies what the child says until its word or its end is there: whether its word came.
bool AwaitWord(int report, int messages) {
  std::array<pollfd, 2> waits{{{messages, POLLIN, 0}, {report, POLLIN, 0}}};
  while (true) {
    if (::poll(waits.data(), waits.size(), -1) < 0) {
      continue;  // EINTR
    }
    std::array<char, 4096> text{};
    if (waits[0].revents != 0) {
      const ssize_t got = ::read(messages, text.data(), text.size());
      if (got > 0) {
        (void)std::fwrite(text.data(), 1, static_cast<std::size_t>(got), stderr);
        continue;  // all of it, before it is let go
      }
      waits[0].fd = -1;
    }
    if (waits[1].revents != 0) {
      char word = 0;
      return ::read(report, &word, 1) == 1;
    }
  }
}

}  // namespace

Expected<std::optional<Detachment>> Detachment::Begin(int& exit_code) {
  ASSIGN_OR_RETURN(PipeEnds report, MakePipe());
  ASSIGN_OR_RETURN(PipeEnds messages, MakePipe());
  (void)std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) {
    const int fork_errno = errno;
    return Fail(SystemError(fork_errno, "fork"));
  }
  if (child == 0) {
    (void)::setsid();
    if (!TakeStreams(report, messages)) {
      ::_exit(kCannot);
    }
    return std::optional(Detachment(UniqueFd(kReport)));
  }
  report.writer.Reset();
  messages.writer.Reset();
  if (AwaitWord(report.reader.get(), messages.reader.get())) {
    exit_code = kOk;
    return std::optional<Detachment>();
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    (void)ReportError(MakeError(ErrorCode::kSystem, "the sandbox's supervisor was killed"));
  }
  exit_code = WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : kCannot;
  return std::optional<Detachment>();
}

Status Detachment::Detach() {
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  struct sigaction before{};
  (void)::sigaction(SIGPIPE, &ignore, &before);
  const char word = 1;
  const ssize_t written = ::write(report_.get(), &word, 1);
  (void)::sigaction(SIGPIPE, &before, nullptr);
  if (written != 1) {
    return Fail(MakeError(ErrorCode::kSystem, "who began this sandbox is gone"));
  }
  report_.Reset();
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  (void)::dup2(null.get(), STDERR_FILENO);
  // No file system is kept busy by this process.
  (void)!::chdir("/");
  return {};
}

}  // namespace cordon::cli
