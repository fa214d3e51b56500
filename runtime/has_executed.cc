#include "runtime/has_executed.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/file.h"
#include "common/text.h"

namespace cordon {

bool HasExecuted(pid_t pid) {
  constexpr std::uint64_t kForkedOnly = 0x40;
  constexpr std::size_t kStatLimit = 4096;
  constexpr std::size_t kFlags = 7;  // behind the name, which may hold anything but ends in ") "
  const Expected<std::string> stat = ReadFile("/proc/" + std::to_string(pid) + "/stat", kStatLimit);
  const std::size_t name_end = stat ? stat->rfind(')') : std::string::npos;
  if (name_end == std::string::npos) {
    return false;
  }
  const std::vector<std::string> fields = Split(std::string_view(*stat).substr(name_end), ' ');
  const auto flags = fields.size() > kFlags ? ParseUnsigned(fields[kFlags]) : std::nullopt;
  return flags && (*flags & kForkedOnly) == 0;
}

}  // namespace cordon
