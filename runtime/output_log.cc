#include "runtime/output_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <string>
#include <utility>

#include "common/file.h"

namespace cordon {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{64} << 10;

timespec Now() {
  timespec now{};
  (void)::clock_gettime(CLOCK_REALTIME, &now);
  return now;
}

}  // namespace

Expected<OutputLog> OutputLog::Create(const std::string& folder, std::uint64_t limit_bytes) {
  ASSIGN_OR_RETURN(SandboxLog log, SandboxLog::Create(folder, limit_bytes));
  ASSIGN_OR_RETURN(UniqueFd input, OpenAt(AT_FDCWD, "/dev/null", O_RDONLY));
  std::array<Pipe, 2> pipes;
  pipes[1].source = LogSource::kStderr;
  for (Pipe& pipe : pipes) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      const int pipe_errno = errno;
      return Fail(SystemError(pipe_errno, "pipe2"));
    }
    pipe.reader = UniqueFd(ends[0]);
    pipe.writer = UniqueFd(ends[1]);
    // Of this end only: the workload's waits when it is full, as programs expect.
    if (::fcntl(pipe.reader.get(), F_SETFL, O_NONBLOCK) != 0) {
      const int fcntl_errno = errno;
      return Fail(SystemError(fcntl_errno, "fcntl"));
    }
  }
  return OutputLog(std::move(log), std::move(input), std::move(pipes));
}

void OutputLog::AddWaits(std::vector<pollfd>& waits) const {
  for (const Pipe& pipe : pipes_) {
    waits.push_back({pipe.reader.get(), POLLIN, 0});
  }
}

void OutputLog::Handle(const std::vector<pollfd>& waits) {
  for (const Pipe& pipe : pipes_) {
    if (std::ranges::any_of(waits, [&](const pollfd& wait) {
          return wait.fd == pipe.reader.get() && wait.revents != 0;
        })) {
      (void)Take(pipe);
    }
  }
}

void OutputLog::Drain() {
  for (const Pipe& pipe : pipes_) {
    while (Take(pipe)) {
    }
  }
}

void OutputLog::Say(std::string_view line) {
  log_.Append(LogSource::kCordon, std::string(line) + "\n", Now());
}

bool OutputLog::Take(const Pipe& pipe) {
  std::string piece(kPieceBytes, '\0');
  ssize_t got = 0;
  do {
    got = ::read(pipe.reader.get(), piece.data(), piece.size());
  } while (got < 0 && errno == EINTR);
  if (got <= 0) {
    return false;
  }
  log_.Append(pipe.source, std::string_view(piece).substr(0, static_cast<std::size_t>(got)), Now());
  return true;
}

}  // namespace cordon
