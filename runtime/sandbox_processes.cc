#include "runtime/sandbox_processes.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "common/file.h"
#include "common/text.h"
#include "observe/process_tree.h"

namespace cordon {
namespace {

constexpr std::size_t kProcFileLimit = 1 << 20;
constexpr std::uint64_t kMicroseconds = 1'000'000;

std::string ReadOf(pid_t pid, std::string_view file) {
  return ReadFile("/proc/" + std::to_string(pid) + "/" + std::string(file), kProcFileLimit)
      .value_or("");
}

/// The words after "NAME:" in the text of /proc/PID/status.
std::vector<std::string> Words(std::string_view status, std::string_view name) {
  for (std::string& line : Split(status, '\n')) {
    if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ':') {
      std::ranges::replace(line, '\t', ' ');
      std::vector<std::string> words = Split(line.substr(name.size() + 1), ' ');
      std::erase(words, "");
      return words;
    }
  }
  return {};
}

std::uint64_t NumberAt(const std::vector<std::string>& words, std::size_t index) {
  return index < words.size() ? ParseUnsigned(words[index]).value_or(0) : 0;
}

std::uint64_t MicrosecondsOf(std::uint64_t ticks) {
  static const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return ticks * kMicroseconds / per_second;
}

/// proc(5), /proc/PID/stat; `words` begin after the name, which may hold anything.
void TakeTimes(const std::string& stat, std::uint64_t uptime_us, SandboxProcess& process) {
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos || name_end + 2 > stat.size()) {
    return;
  }
  const std::vector<std::string> words = Split(stat.substr(name_end + 2), ' ');
  constexpr std::size_t kUser = 11;
  constexpr std::size_t kStart = 19;
  process.cpu_us = MicrosecondsOf(NumberAt(words, kUser) + NumberAt(words, kUser + 1));
  process.children_cpu_us = MicrosecondsOf(NumberAt(words, kUser + 2) + NumberAt(words, kUser + 3));
  const std::uint64_t start = MicrosecondsOf(NumberAt(words, kStart));
  process.age_us = uptime_us > start ? uptime_us - start : 0;
}

std::uint64_t UptimeUs() {
  const std::string text = ReadFile("/proc/uptime", kProcFileLimit).value_or("");
  const std::size_t point = text.find('.');
  if (point == std::string::npos || text.size() < point + 3) {
    return 0;
  }
  return (ParseUnsigned(text.substr(0, point)).value_or(0) * kMicroseconds) +
         (ParseUnsigned(text.substr(point + 1, 2)).value_or(0) * 10'000);
}

std::string CommandOf(pid_t pid, const std::vector<std::string>& name) {
  std::string line = ReadOf(pid, "cmdline");
  std::string own = Join(name, " ");
  // The sandbox's own processes are copies of cordon, with its command line.
  if (line.empty() || own.starts_with("cordon-")) {
    return own;
  }
  while (!line.empty() && line.back() == '\0') {
    line.pop_back();
  }
  std::ranges::replace(line, '\0', ' ');
  return line;
}

std::optional<SandboxProcess> Read(pid_t pid, std::size_t depth, std::uint64_t uptime_us) {
  const std::string status = ReadOf(pid, "status");
  const std::vector<std::string> numbers = Words(status, "NSpid");
  if (numbers.size() <= depth) {
    return std::nullopt;  // it is gone, or in the caller's own pid namespace
  }
  constexpr std::uint64_t kKibibyte = 1024;
  SandboxProcess process;
  process.pid = pid;
  process.parent = static_cast<pid_t>(NumberAt(Words(status, "PPid"), 0));
  process.inside = static_cast<pid_t>(NumberAt(numbers, depth));
  process.uid = static_cast<uid_t>(NumberAt(Words(status, "Uid"), 0));
  process.resident_bytes = NumberAt(Words(status, "VmRSS"), 0) * kKibibyte;
  process.threads = std::max<std::uint64_t>(1, NumberAt(Words(status, "Threads"), 0));
  process.command = CommandOf(pid, Words(status, "Name"));
  TakeTimes(ReadOf(pid, "stat"), uptime_us, process);
  return process;
}

}  // namespace

std::vector<SandboxProcess> SandboxProcesses(pid_t supervisor) {
  const std::size_t depth = Words(ReadOf(supervisor, "status"), "NSpid").size();
  const std::uint64_t uptime_us = UptimeUs();
  std::vector<SandboxProcess> processes;
  if (depth == 0) {
    return processes;
  }
  for (const pid_t pid : ProcessTree(supervisor)) {
    if (std::optional<SandboxProcess> process = Read(pid, depth, uptime_us)) {
      processes.push_back(*std::move(process));
    }
  }
  return processes;
}

}  // namespace cordon
