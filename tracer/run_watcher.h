#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace cordon {

/// How far a run is.
struct RunProgress {
  std::chrono::milliseconds elapsed{};
  std::size_t processes = 0;              ///< alive
  std::size_t syscalls = 0;               ///< distinct
  std::size_t paths = 0;                  ///< distinct
  std::uint64_t calls = 0;                ///< made so far
  std::chrono::milliseconds since_new{};  ///< since anything was seen for the first time
};

/// What output leaves the cursor in.
enum class OutputEnd : std::uint8_t { kLineEnded, kLineOpen };

/// Told how a run goes, to show it to a person while it lasts.
class RunWatcher {
 public:
  RunWatcher() = default;
  RunWatcher(const RunWatcher&) = delete;
  RunWatcher& operator=(const RunWatcher&) = delete;
  virtual ~RunWatcher() = default;

  /// About kInterval after the last one, also while the workload does nothing.
  virtual void OnProgress(const RunProgress& progress) = 0;
  static constexpr std::chrono::milliseconds kInterval{250};

  /// The workload is about to write to the terminal that is cordon's standard error; or to be
  /// stopped, after which its shell does.
  virtual void BeforeOutput(OutputEnd end) = 0;
};

}  // namespace cordon
