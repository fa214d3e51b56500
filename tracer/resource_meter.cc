#include "tracer/resource_meter.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "common/file.h"
#include "common/text.h"
#include "observe/process_status.h"

namespace cordon {
namespace {

constexpr std::size_t kMaxStatBytes = 4096;

/// utime + stime of /proc/PID/stat (proc(5), fields 14 and 15), in milliseconds.
std::uint64_t CpuTimeMs(pid_t process) {
  const Expected<std::string> text = ReadFile(fmt::format("/proc/{}/stat", process), kMaxStatBytes);
  if (!text.has_value()) {
    return 0;
  }
  const std::size_t after_name = text->rfind(')');  // the name may hold anything else
  if (after_name == std::string::npos || after_name + 2 > text->size()) {
    return 0;
  }
  const std::vector<std::string> fields =
      Split(std::string_view(*text).substr(after_name + 2), ' ');
  constexpr std::size_t kUtime = 11;  // the state, field 3, is the first here
  constexpr std::size_t kStime = 12;
  if (fields.size() <= kStime) {
    return 0;
  }
  const std::uint64_t ticks =
      ParseUnsigned(fields[kUtime]).value_or(0) + ParseUnsigned(fields[kStime]).value_or(0);
  constexpr std::uint64_t kMsPerSecond = 1000;
  return ticks * kMsPerSecond / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

void ResourceMeter::Sample(const std::set<pid_t>& processes,
                           std::chrono::steady_clock::time_point now) {
  last_ = now;
  std::uint64_t resident = 0;
  for (const pid_t process : processes) {
    if (const Expected<ProcessStatus> status = ReadProcessStatus(process); status.has_value()) {
      resident += status->resident_bytes;
    }
  }
  peaks_.peak_memory_bytes = std::max(peaks_.peak_memory_bytes, resident);
}

void ResourceMeter::NoteTasks(std::uint64_t tasks) {
  peaks_.peak_tasks = std::max(peaks_.peak_tasks, tasks);
}

void ResourceMeter::NoteOpenFiles(std::uint64_t descriptors) {
  peaks_.open_files = std::max(peaks_.open_files, descriptors);
}

void ResourceMeter::NoteExiting(pid_t process) {
  peaks_.cpu_time_ms += CpuTimeMs(process);
  if (const Expected<ProcessStatus> status = ReadProcessStatus(process); status.has_value()) {
    peaks_.peak_memory_bytes = std::max(peaks_.peak_memory_bytes, status->peak_resident_bytes);
  }
}

}  // namespace cordon
