#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/unique_fd.h"

/// What a detached sandbox said, as two files in its place: `log`, and `log.1` with what was before
/// that. A record is a line as in Kubernetes' CRI logging format:
///
///   2026-11-28T11:33:13.123456789Z stdout F a whole line, or the end of one
///   2026-11-28T11:33:13.123456789Z stderr P a part of a line, whose rest follows
namespace cordon {

/// Who said it: the workload on one of its streams, or the supervisor.
enum class LogSource : std::uint8_t { kStdout, kStderr, kCordon };

struct LogRecord {
  std::string time;  ///< RFC 3339, UTC, nine digits after the point: ordered as texts
  LogSource source = LogSource::kStdout;
  bool ends_line = true;
  std::string text;
  bool operator==(const LogRecord&) const = default;
};

/// RFC 3339 as LogRecord::time.
std::string LogTime(timespec time);

/// `line` without its end; nothing where it is no record.
std::optional<LogRecord> ParseLogRecord(std::string_view line);

/// Writes a sandbox's log. What cannot be written, because the file system is full, is counted and
/// said later; nothing here fails, and whoever said it goes on.
class SandboxLog {
 public:
  static constexpr std::uint64_t kMinLimitBytes = std::uint64_t{256} << 10;

  /// `folder`: the sandbox's place. `limit_bytes`: of both files together, at least kMinLimitBytes.
  static Expected<SandboxLog> Create(const std::string& folder, std::uint64_t limit_bytes);

  /// Adds what `source` said at `now`: any bytes, any number of lines.
  void Append(LogSource source, std::string_view bytes, timespec now);

 private:
  SandboxLog(std::string folder, std::uint64_t limit_bytes, UniqueFd file)
      : folder_(std::move(folder)), half_(limit_bytes / 2), file_(std::move(file)) {}

  void Write(std::string_view records, std::size_t content);
  void Rotate();

  std::string folder_;
  std::uint64_t half_;
  UniqueFd file_;
  std::uint64_t size_ = 0;
  std::uint64_t dropped_ = 0;  ///< bytes of content, not said yet
  int drop_errno_ = 0;
};

}  // namespace cordon
