#include "runtime/cgroup_usage.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/file.h"
#include "common/text.h"

namespace cordon {
namespace {

constexpr std::size_t kControlFileLimit = 1 << 20;

using Figure = std::optional<std::uint64_t> SandboxUsage::*;

/// Where a figure stands: in the line of `file` that begins with `key`, or in a file of one number.
struct Place {
  std::string_view file;
  std::string_view key;  ///< empty: the number is all
  Figure figure;
  std::uint64_t divisor = 1;
};

/// Add a row for a figure of either version; the files of both never meet in one folder.
constexpr std::array<Place, 23> kPlaces{{
    {"memory.usage_in_bytes", "", &SandboxUsage::memory_bytes},
    {"memory.max_usage_in_bytes", "", &SandboxUsage::memory_peak_bytes},
    {"memory.limit_in_bytes", "", &SandboxUsage::memory_limit_bytes},
    {"memory.oom_control", "oom_kill", &SandboxUsage::oom_kills},
    {"memory.stat", "total_inactive_file", &SandboxUsage::memory_inactive_file_bytes},
    {"memory.stat", "total_swap", &SandboxUsage::swap_bytes},
    {"cpuacct.usage", "", &SandboxUsage::cpu_us, 1000},
    {"cpu.stat", "throttled_time", &SandboxUsage::throttled_us, 1000},
    {"memory.current", "", &SandboxUsage::memory_bytes},
    {"memory.peak", "", &SandboxUsage::memory_peak_bytes},
    {"memory.max", "", &SandboxUsage::memory_limit_bytes},
    {"memory.swap.current", "", &SandboxUsage::swap_bytes},
    {"memory.events", "oom_kill", &SandboxUsage::oom_kills},
    {"memory.stat", "inactive_file", &SandboxUsage::memory_inactive_file_bytes},
    {"cpu.stat", "usage_usec", &SandboxUsage::cpu_us},
    {"cpu.stat", "throttled_usec", &SandboxUsage::throttled_us},
    {"pids.current", "", &SandboxUsage::tasks},
    {"pids.max", "", &SandboxUsage::tasks_limit},
    {"pids.events", "max", &SandboxUsage::tasks_refused},
    {"blkio.throttle.io_service_bytes_recursive", "Read", &SandboxUsage::io_read_bytes},
    {"blkio.throttle.io_service_bytes_recursive", "Write", &SandboxUsage::io_written_bytes},
    {"io.stat", "rbytes", &SandboxUsage::io_read_bytes},
    {"io.stat", "wbytes", &SandboxUsage::io_written_bytes},
}};

/// v1 writes a lifted limit as the largest number of whole pages.
constexpr std::uint64_t kNoLimitOfV1 = std::uint64_t{1} << 62;

/// "KEY NUMBER", in lines.
std::optional<std::uint64_t> FlatKey(std::string_view text, std::string_view key) {
  for (const std::string& line : Split(text, '\n')) {
    if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ' ') {
      return ParseUnsigned(line.substr(key.size() + 1));
    }
  }
  return std::nullopt;
}

/// The sum over devices: lines "254:0 rbytes=1 wbytes=2 …" of v2, "254:0 Read 1" of v1.
std::uint64_t SumOfDevices(std::string_view text, std::string_view key) {
  std::uint64_t sum = 0;
  for (const std::string& line : Split(text, '\n')) {
    const std::vector<std::string> words = Split(line, ' ');
    if (words.size() == 3 && words[1] == key) {
      sum += ParseUnsigned(words[2]).value_or(0);
    }
    for (const std::string& word : words) {
      if (word.starts_with(key) && word.size() > key.size() && word[key.size()] == '=') {
        sum += ParseUnsigned(word.substr(key.size() + 1)).value_or(0);
      }
    }
  }
  return sum;
}

std::optional<std::uint64_t> Read(const Place& place, const std::string& folder) {
  Expected<std::string> text = ReadFile(folder + "/" + std::string(place.file), kControlFileLimit);
  if (!text) {
    return std::nullopt;
  }
  if (place.file.starts_with("io.") || place.file.starts_with("blkio.")) {
    return SumOfDevices(*text, place.key);
  }
  if (!place.key.empty()) {
    return FlatKey(*text, place.key);
  }
  while (!text->empty() && text->back() == '\n') {
    text->pop_back();
  }
  const std::optional<std::uint64_t> number = ParseUnsigned(*text);  // "max" is none
  return number && *number < kNoLimitOfV1 ? number : std::nullopt;
}

template <typename Wanted>
SandboxUsage ReadFigures(const std::vector<std::string>& folders, Wanted wanted) {
  SandboxUsage usage;
  for (const std::string& folder : folders) {
    for (const Place& place : kPlaces) {
      if (usage.*place.figure || !wanted(place.figure)) {
        continue;
      }
      if (const std::optional<std::uint64_t> number = Read(place, folder)) {
        usage.*place.figure = *number / place.divisor;
      }
    }
  }
  return usage;
}

}  // namespace

SandboxUsage ReadCgroupUsage(const std::vector<std::string>& folders) {
  return ReadFigures(folders, [](Figure) { return true; });
}

SandboxUsage ReadCgroupCounts(const std::vector<std::string>& folders) {
  return ReadFigures(folders, [](Figure figure) {
    return figure == &SandboxUsage::oom_kills || figure == &SandboxUsage::tasks_refused;
  });
}

void AddProcessUsage(const std::vector<SandboxProcess>& processes, SandboxUsage& usage) {
  SandboxUsage sum{};
  sum.cpu_us = 0;
  sum.memory_bytes = 0;
  sum.tasks = 0;
  for (const SandboxProcess& process : processes) {
    *sum.cpu_us += process.cpu_us + process.children_cpu_us;
    *sum.memory_bytes += process.resident_bytes;
    *sum.tasks += process.threads;
  }
  for (const Figure figure :
       {&SandboxUsage::cpu_us, &SandboxUsage::memory_bytes, &SandboxUsage::tasks}) {
    if (!(usage.*figure)) {
      usage.*figure = sum.*figure;
    }
  }
}

}  // namespace cordon
