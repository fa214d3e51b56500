// /etc/passwd and /etc/group of a root file system, a --user, and /etc/subuid: what was found is
// what was asked for, and never the id that the kernel takes for none.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "runtime/subordinate_ids.h"
#include "runtime/user_name.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cordon;
  constexpr std::uint32_t kNoId = 0xffffffff;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  // The --user, and after an empty line passwd, and after another one group.
  const std::size_t first = input.find("\n\n");
  const std::string user(input.substr(0, first));
  const std::string_view files = first == std::string_view::npos ? "" : input.substr(first + 2);
  const std::size_t second = files.find("\n\n");
  const std::string_view passwd = files.substr(0, second);
  const std::string_view group = second == std::string_view::npos ? "" : files.substr(second + 2);
  if (const Expected<UserIds> ids = FindUser(user, passwd, group)) {
    if (ids->uid == kNoId || ids->gid == kNoId ||
        std::ranges::find(ids->groups, kNoId) != ids->groups.end()) {
      std::abort();
    }
    const bool number = !user.empty() && user.find_first_not_of("0123456789") == std::string::npos;
    if (number && std::to_string(ids->uid) != user &&
        user.find_first_not_of('0') != std::string::npos && user.front() != '0') {
      std::abort();
    }
  }
  const std::vector<IdRange> ranges = ParseSubordinateIds(files, "web", 33);
  std::uint64_t mapped = 0;
  for (const IdMap& map : MapOntoRanges(33, ranges)) {
    if (map.inside != mapped) {
      std::abort();
    }
    mapped += map.count;
    if (mapped > kNoId || std::uint64_t{map.outside} + map.count > kNoId) {
      std::abort();
    }
  }
  return 0;
}
