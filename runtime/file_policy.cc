#include "runtime/file_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "common/text.h"

namespace cordon {
namespace {

bool IsAtOrBeneath(std::string_view path, std::string_view folder) {
  return folder == "/" || path == folder ||
         (path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/');
}

std::string ParentOf(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::string MakeRight(FileClass made) {
  switch (made) {
    case FileClass::kDirectory:
      return "make_dir";
    case FileClass::kSymlink:
      return "make_sym";
    case FileClass::kCharacter:
      return "make_char";
    case FileClass::kBlock:
      return "make_block";
    case FileClass::kFifo:
      return "make_fifo";
    case FileClass::kSocket:
      return "make_sock";
    default:
      return "make_reg";
  }
}

/// landlock(7), "Filesystem actions".
std::set<std::string> OwnRights(const FileUse& use) {
  const FileAccessSet& access = use.access;
  const bool directory = use.key.file_class == FileClass::kDirectory;
  std::set<std::string> rights;
  if (access.Has(FileAccess::kRead)) {
    rights.insert(directory ? "read_dir" : "read_file");
  }
  if (access.HasAny({FileAccess::kWrite, FileAccess::kAppend})) {
    rights.insert("write_file");
  }
  if (access.Has(FileAccess::kTruncate)) {
    rights.insert("truncate");
  }
  if (access.Has(FileAccess::kExecute)) {
    rights.insert("execute");
  }
  return rights;
}

std::set<std::string> ParentRights(const FileUse& use) {
  std::set<std::string> rights;
  if (use.access.HasAny({FileAccess::kCreate, FileAccess::kArrive})) {
    rights.insert(MakeRight(use.key.file_class));
  }
  if (use.access.HasAny({FileAccess::kUnlink, FileAccess::kRename})) {
    rights.insert(use.key.file_class == FileClass::kDirectory ? "remove_dir" : "remove_file");
  }
  if (use.access.Has(FileAccess::kReparent) || use.is_moved_here) {
    rights.insert("refer");
  }
  return rights;
}

}  // namespace

bool FilePolicy::Gives(const std::string& path, const std::string& right) const {
  return std::ranges::any_of(rules_, [&](const LandlockRule& rule) {
    return rule.access.contains(right) && IsAtOrBeneath(path, rule.path);
  });
}

std::vector<LandlockRule> FilePolicy::Missing(const FileUse& use) const {
  std::map<std::string, std::set<std::string>> missing;
  const auto want = [&](const std::string& place, const std::string& path,
                        const std::set<std::string>& rights) {
    for (const std::string& right : rights) {
      if (!Gives(path, right)) {
        missing[place].insert(right);
      }
    }
  };
  const std::string parent = ParentOf(use.key.path);
  // A file that is not there yet takes its rights from where it will be.
  want(use.access.Has(FileAccess::kCreate) ? parent : use.key.path, use.key.path, OwnRights(use));
  want(parent, parent, ParentRights(use));
  std::vector<LandlockRule> rules;
  rules.reserve(missing.size());
  for (auto& [path, access] : missing) {
    rules.push_back({path, std::move(access)});
  }
  return rules;
}

std::string Describe(const LandlockRule& rule) {
  std::string access;
  for (const std::string& right : rule.access) {
    access += fmt::format("{}\"{}\"", access.empty() ? "" : ",", right);
  }
  const std::string quoted = Quote(rule.path);  // in single quotes
  return fmt::format("{{\"path\":\"{}\",\"access\":[{}]}}", quoted.substr(1, quoted.size() - 2),
                     access);
}

}  // namespace cordon
