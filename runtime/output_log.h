#pragma once

#include <poll.h>

#include <array>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/unique_fd.h"
#include "runtime/sandbox_log.h"

namespace cordon {

/// The standard streams of a workload that nobody is connected to: input from /dev/null, output and
/// error by pipes into the sandbox's log. Whatever becomes of the log, the pipes are read.
/// Single-threaded: everything happens in Handle() and Drain().
class OutputLog {
 public:
  static Expected<OutputLog> Create(const std::string& folder, std::uint64_t limit_bytes);

  /// For the workload; closed with this.
  std::array<int, 3> streams() const {
    return {input_.get(), pipes_[0].writer.get(), pipes_[1].writer.get()};
  }

  /// Appends what is to be waited for.
  void AddWaits(std::vector<pollfd>& waits) const;

  /// Takes from what `waits`, which AddWaits() appended to since, found ready: a piece of each.
  void Handle(const std::vector<pollfd>& waits);

  /// Takes all that is there. For when nobody writes any more.
  void Drain();

  /// A message of the supervisor's, one line.
  void Say(std::string_view line);

 private:
  struct Pipe {
    UniqueFd reader;
    UniqueFd writer;
    LogSource source = LogSource::kStdout;
  };

  OutputLog(SandboxLog log, UniqueFd input, std::array<Pipe, 2> pipes)
      : log_(std::move(log)), input_(std::move(input)), pipes_(std::move(pipes)) {}

  bool Take(const Pipe& pipe);

  SandboxLog log_;
  UniqueFd input_;
  std::array<Pipe, 2> pipes_;
};

}  // namespace cordon
