#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "tracer/run_watcher.h"

namespace cordon::cli {

/// "12 s, 3 processes, 87 syscalls, 214 paths, 5100 calls/s, new 4 s ago": how long ago anything
/// was seen for the first time
std::string DescribeProgress(const RunProgress& progress, double calls_per_second);

/// One line at the bottom of a terminal that is drawn over and over, and taken away before the
/// workload writes there. It is not drawn where it would be in the way: while the workload has the
/// terminal in another mode than the usual one (an editor, a password), in the middle of a line,
/// right after output, or while cordon is in the background.
class ProgressLine final : public RunWatcher {
 public:
  /// Can there be one: is `fd` a terminal that knows how to erase?
  static bool Fits(int fd);

  explicit ProgressLine(int fd) : fd_(fd) {}

  ~ProgressLine() override { Erase(); }

  void OnProgress(const RunProgress& progress) override;
  void BeforeOutput(OutputEnd end) override;

  /// Takes the line away.
  void Erase();

 private:
  bool IsInTheWay() const;

  int fd_;
  bool drawn_ = false;
  bool in_line_ = false;  ///< the workload has begun a line and not ended it
  std::chrono::steady_clock::time_point last_output_;
  std::chrono::milliseconds last_elapsed_{};
  std::uint64_t last_calls_ = 0;
};

}  // namespace cordon::cli
