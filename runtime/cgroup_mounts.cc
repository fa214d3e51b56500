#include "runtime/cgroup_mounts.h"

#include <algorithm>

#include "common/text.h"

namespace cordon {
namespace {

/// mountinfo writes space, tab, newline and backslash as \ooo (proc(5)).
std::string Unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                 (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

}  // namespace

std::vector<CgroupMount> ParseCgroupMounts(std::string_view mountinfo) {
  std::vector<CgroupMount> mounts;
  for (const std::string& line : Split(mountinfo, '\n')) {
    // 36 35 98:0 ROOT POINT OPTIONS [TAG…] - TYPE SOURCE SUPER_OPTIONS
    const std::vector<std::string> fields = Split(line, ' ');
    const auto dash = std::ranges::find(fields, "-");
    if (fields.size() < 9 || fields.end() - dash < 4) {
      continue;
    }
    if (*(dash + 1) == "cgroup" || *(dash + 1) == "cgroup2") {
      mounts.push_back(
          {Unescape(fields[3]), Unescape(fields[4]), *(dash + 1), Split(*(dash + 3), ',')});
    }
  }
  return mounts;
}

std::vector<CgroupMembership> ParseCgroupMemberships(std::string_view proc_cgroup) {
  std::vector<CgroupMembership> memberships;
  for (const std::string& line : Split(proc_cgroup, '\n')) {
    // ID:CONTROLLER,…:PATH; a path may hold colons.
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) {
      continue;
    }
    const std::string controllers = line.substr(first + 1, second - first - 1);
    memberships.push_back(
        {controllers.empty() ? std::vector<std::string>() : Split(controllers, ','),
         line.substr(second + 1)});
  }
  return memberships;
}

}  // namespace cordon
