#include "runtime/host_root.h"

#include <unistd.h>

#include <string>

#include "common/file.h"
#include "common/text.h"

namespace cordon {

bool IsRootOfHost() {
  constexpr std::size_t kMapLimit = 65536;
  const Expected<std::string> map = ReadFile("/proc/self/uid_map", kMapLimit);
  if (::geteuid() != 0 || !map) {
    return false;
  }
  // user_namespaces(7): the initial one maps all ids to themselves.
  std::string words;
  for (const std::string& word : Split(map->substr(0, map->find('\n')), ' ')) {
    words += word.empty() ? "" : word + " ";
  }
  return words == "0 0 4294967295 ";
}

}  // namespace cordon
