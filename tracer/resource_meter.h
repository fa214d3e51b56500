#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <set>

#include "model/recording.h"

namespace cordon {

/// Measures what a process tree takes, by looking at /proc now and then and at each process when it
/// ends.
class ResourceMeter {
 public:
  /// Looks at `processes` (thread group ids) if the last look was kInterval ago.
  static constexpr std::chrono::milliseconds kInterval{250};

  bool Due(std::chrono::steady_clock::time_point now) const { return now - last_ >= kInterval; }

  void Sample(const std::set<pid_t>& processes, std::chrono::steady_clock::time_point now);

  void NoteTasks(std::uint64_t tasks);
  void NoteOpenFiles(std::uint64_t descriptors);
  /// The last task of `process` is about to end.
  void NoteExiting(pid_t process);

  const Resources& peaks() const { return peaks_; }

 private:
  std::chrono::steady_clock::time_point last_;
  Resources peaks_;
};

}  // namespace cordon
