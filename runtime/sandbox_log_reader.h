#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/unique_fd.h"
#include "runtime/sandbox_log.h"

namespace cordon {

/// Reads a sandbox's log from its beginning and goes on with what is added, also where the writer
/// has begun a new file or removed the place meanwhile.
class SandboxLogReader {
 public:
  /// Fails with kNotFound where `folder` has no log: the sandbox is not detached.
  static Expected<SandboxLogReader> Open(const std::string& folder);

  /// The next records, some thousands at most; empty at the present end.
  Expected<std::vector<LogRecord>> Read();

  /// Waits until something happens to the log, at most `milliseconds`.
  void Wait(int milliseconds) const;

  /// How often records were gone before they could be read, because the writer was faster.
  std::uint64_t gaps() const { return gaps_; }

 private:
  SandboxLogReader(std::string folder, UniqueFd notifier, std::vector<UniqueFd> files)
      : folder_(std::move(folder)), notifier_(std::move(notifier)), files_(std::move(files)) {}

  Expected<std::vector<LogRecord>> ReadFront();
  bool TakeNewFile();

  std::string folder_;
  UniqueFd notifier_;            ///< inotify on the folder
  std::vector<UniqueFd> files_;  ///< oldest first; the last one is the one that grows
  std::string rest_;             ///< the beginning of a record whose end was not there yet
  std::uint64_t gaps_ = 0;
};

}  // namespace cordon
