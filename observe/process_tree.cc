#include "observe/process_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <system_error>

#include "observe/process_status.h"

namespace cordon {
namespace {

/// The entries of a folder whose names are numbers.
std::vector<int> NumberedEntries(const std::string& folder) {
  std::vector<int> numbers;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    int number = 0;
    const auto [rest, mistake] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (mistake == std::errc{} && rest == name.data() + name.size()) {
      numbers.push_back(number);
    }
  }
  std::ranges::sort(numbers);
  return numbers;
}

}  // namespace

std::vector<pid_t> ThreadsOf(pid_t process) {
  return NumberedEntries(fmt::format("/proc/{}/task", process));
}

std::vector<pid_t> ProcessTree(pid_t process) {
  std::multimap<pid_t, pid_t> children;
  for (const pid_t id : NumberedEntries("/proc")) {
    if (const Expected<ProcessStatus> status = ReadProcessStatus(id); status.has_value()) {
      children.emplace(status->parent, id);
    }
  }
  std::vector<pid_t> tree{process};
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const auto [begin, end] = children.equal_range(tree[i]);
    for (auto child = begin; child != end; ++child) {
      tree.push_back(child->second);
    }
  }
  return tree;
}

std::vector<int> OpenDescriptors(pid_t process) {
  return NumberedEntries(fmt::format("/proc/{}/fd", process));
}

}  // namespace cordon
