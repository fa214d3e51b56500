#include "model/errno_name.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <map>

#include "common/text.h"

namespace cordon {
namespace {

constexpr int kMaxErrno = 4095;  // MAX_ERRNO of include/linux/err.h

std::map<std::string_view, int> AllNames() {
  std::map<std::string_view, int> names;
  for (int number = 1; number <= kMaxErrno; ++number) {
    if (const char* name = strerrorname_np(number); name != nullptr) {
      names.emplace(name, number);
    }
  }
  // Second names of the same number (errno(3)).
  names.emplace("EWOULDBLOCK", EWOULDBLOCK);
  names.emplace("ENOTSUP", ENOTSUP);
  names.emplace("EDEADLOCK", EDEADLOCK);
  return names;
}

}  // namespace

std::string ErrnoName(int positive_errno) {
  const char* name = strerrorname_np(positive_errno);  // glibc 2.32
  return name != nullptr ? name : fmt::format("E{}", positive_errno);
}

std::optional<int> ErrnoFromName(std::string_view name) {
  static const std::map<std::string_view, int> kNames = AllNames();
  if (const auto found = kNames.find(name); found != kNames.end()) {
    return found->second;
  }
  if (!name.starts_with('E')) {
    return std::nullopt;
  }
  const auto number = ParseUnsigned(name.substr(1));
  if (!number || *number == 0 || *number > static_cast<std::uint64_t>(kMaxErrno)) {
    return std::nullopt;
  }
  return static_cast<int>(*number);
}

}  // namespace cordon
