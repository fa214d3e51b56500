#include "model/selinux_policy.h"

#include <fmt/format.h>

namespace cordon {

std::string SelinuxReasons::Summary() const {
  if (places.empty()) {
    return {};
  }
  if (places.size() == 1) {
    return *places.begin();
  }
  return fmt::format("{} and {} more", *places.begin(), places.size() - 1);
}

void SelinuxPolicy::Allow(const AccessVectorKey& key, const std::set<std::string>& permissions,
                          const std::string& place) {
  if (permissions.empty()) {
    return;
  }
  AccessVectorRule& rule = allow[key];
  rule.permissions.insert(permissions.begin(), permissions.end());
  rule.reasons.Add(place);
}

std::optional<std::string_view> SelinuxClassName(FileClass file_class) {
  switch (file_class) {
    case FileClass::kFile:
      return "file";
    case FileClass::kDirectory:
      return "dir";
    case FileClass::kSymlink:
      return "lnk_file";
    case FileClass::kCharacter:
      return "chr_file";
    case FileClass::kBlock:
      return "blk_file";
    case FileClass::kFifo:
      return "fifo_file";
    case FileClass::kSocket:
      return "sock_file";
    case FileClass::kAnonymous:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace cordon
