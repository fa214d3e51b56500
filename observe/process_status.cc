#include "observe/process_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "common/file.h"

namespace cordon {
namespace {

constexpr std::size_t kMaxStatusBytes = std::size_t{4}
                                        << 20;  // the Groups line may name 65536 groups
constexpr std::uint64_t kKibibyte = 1024;

/// The unsigned numbers of `text`, which white space separates; the rest of it after the first word
/// that is none is ignored.
std::vector<std::uint64_t> Numbers(std::string_view text, int base) {
  std::vector<std::uint64_t> numbers;
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  while (at != end) {
    if (*at == ' ' || *at == '\t') {
      ++at;
      continue;
    }
    std::uint64_t number = 0;
    const auto [next, error] = std::from_chars(at, end, number, base);
    if (error != std::errc{}) {
      break;
    }
    numbers.push_back(number);
    at = next;
  }
  return numbers;
}

void CopyIds(const std::vector<std::uint64_t>& numbers, std::array<std::uint32_t, 4>& ids) {
  for (std::size_t i = 0; i < std::min(numbers.size(), ids.size()); ++i) {
    ids[i] = static_cast<std::uint32_t>(numbers[i]);
  }
}

void ApplyLine(std::string_view key, std::string_view value, ProcessStatus& status) {
  const std::vector<std::uint64_t> numbers = Numbers(value, key == "CapEff" ? 16 : 10);
  const std::uint64_t first = numbers.empty() ? 0 : numbers.front();
  if (key == "State") {
    const std::size_t at = value.find_first_not_of(" \t");
    status.state = at == std::string_view::npos ? '\0' : value[at];
  } else if (key == "Tgid") {
    status.thread_group = static_cast<pid_t>(first);
  } else if (key == "PPid") {
    status.parent = static_cast<pid_t>(first);
  } else if (key == "TracerPid") {
    status.tracer = static_cast<pid_t>(first);
  } else if (key == "NStgid" && !numbers.empty()) {
    status.innermost_pid = static_cast<pid_t>(numbers.back());
  } else if (key == "Uid") {
    CopyIds(numbers, status.credentials.uids);
  } else if (key == "Gid") {
    CopyIds(numbers, status.credentials.gids);
  } else if (key == "Groups") {
    status.credentials.groups.assign(numbers.begin(), numbers.end());
  } else if (key == "CapEff") {
    status.credentials.effective_capabilities = first;
  } else if (key == "Seccomp") {
    status.seccomp_mode = static_cast<int>(first);
  } else if (key == "Seccomp_filters") {
    status.seccomp_filters = first;
  } else if (key == "NoNewPrivs") {
    status.no_new_privileges = first != 0;
  } else if (key == "VmHWM") {
    status.peak_resident_bytes = first * kKibibyte;
  } else if (key == "VmRSS") {
    status.resident_bytes = first * kKibibyte;
  }
}

}  // namespace

bool Credentials::InGroup(std::uint32_t gid) const {
  return gids[3] == gid || std::ranges::find(groups, gid) != groups.end();
}

ProcessStatus ParseProcessStatus(std::string_view text) {
  ProcessStatus status;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
      ApplyLine(line.substr(0, colon), line.substr(colon + 1), status);
    }
  }
  return status;
}

Expected<ProcessStatus> ReadProcessStatus(pid_t task) {
  ASSIGN_OR_RETURN(const std::string text,
                   ReadFile(fmt::format("/proc/{}/status", task), kMaxStatusBytes));
  return ParseProcessStatus(text);
}

}  // namespace cordon
