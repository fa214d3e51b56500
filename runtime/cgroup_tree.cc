#include "runtime/cgroup_tree.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "common/file.h"
#include "common/text.h"

namespace cordon {

CgroupTree ReadCgroupTree(const std::string& folder) {
  constexpr std::size_t kLimit = std::size_t{16} << 20;
  CgroupTree tree;
  tree.name = folder.substr(folder.rfind('/') + 1);
  for (const std::string& line :
       Split(ReadFile(folder + "/cgroup.procs", kLimit).value_or(""), '\n')) {
    if (const auto pid = ParseUnsigned(line); pid && *pid != 0) {
      tree.processes.push_back(static_cast<pid_t>(*pid));
    }
  }
  std::ranges::sort(tree.processes);
  std::error_code ignored;
  for (std::filesystem::directory_iterator entry(folder, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    std::error_code gone;
    if (entry->is_directory(gone)) {
      tree.children.push_back(ReadCgroupTree(entry->path().string()));
    }
  }
  std::ranges::sort(tree.children, {}, &CgroupTree::name);
  return tree;
}

}  // namespace cordon
