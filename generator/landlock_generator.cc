#include "generator/landlock_generator.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>

#include "generator/path_names.h"

namespace cordon {
namespace {

struct MakeRight {
  FileClass file_class;
  std::string_view right;
};

constexpr std::array<MakeRight, 7> kMakeRights{{
    {FileClass::kFile, "make_reg"},
    {FileClass::kDirectory, "make_dir"},
    {FileClass::kSymlink, "make_sym"},
    {FileClass::kCharacter, "make_char"},
    {FileClass::kBlock, "make_block"},
    {FileClass::kFifo, "make_fifo"},
    {FileClass::kSocket, "make_sock"},
}};

std::string MakeRightOf(FileClass file_class) {
  const auto* const found = std::ranges::find(kMakeRights, file_class, &MakeRight::file_class);
  return found == kMakeRights.end() ? std::string() : std::string(found->right);
}

std::string RemoveRightOf(FileClass file_class) {
  return file_class == FileClass::kDirectory ? "remove_dir" : "remove_file";
}

/// What was done to the object itself, in Landlock's words.
std::set<std::string> OwnRights(const FileKey& key, const FileObservation& file) {
  const FileAccessSet& access = file.access;
  std::set<std::string> rights;
  if (key.file_class == FileClass::kDirectory) {
    if (access.HasAny({FileAccess::kRead, FileAccess::kOpen})) {
      rights.insert("read_dir");
    }
    return rights;
  }
  if (key.file_class == FileClass::kSymlink || key.file_class == FileClass::kSocket) {
    return rights;  // neither can be opened
  }
  // What came as an open descriptor was checked when somebody else opened it.
  if (WasOpened(file)) {
    const bool writes = access.HasAny({FileAccess::kWrite, FileAccess::kAppend});
    if (access.Has(FileAccess::kRead) || !writes) {
      rights.insert("read_file");
    }
    if (writes) {
      rights.insert("write_file");
    }
  }
  if (access.Has(FileAccess::kTruncate)) {
    rights.insert("truncate");
  }
  if (access.Has(FileAccess::kExecute)) {
    rights.insert("execute");
  }
  if (access.Has(FileAccess::kIoctl) &&
      (key.file_class == FileClass::kCharacter || key.file_class == FileClass::kBlock)) {
    rights.insert("ioctl_dev");
  }
  return rights;
}

class RuleSet {
 public:
  RuleSet(const Recording& recording, const FileChanges& changes)
      : recording_(recording), changes_(changes) {}

  std::vector<LandlockRule> Make() {
    for (const auto& [key, file] : recording_.files) {
      if (HasPath(key) && !file.access.empty()) {
        AddObject(key, file);
      }
    }
    AddMoves();
    AddPrograms();
    std::vector<LandlockRule> rules;
    rules.reserve(rules_.size());
    for (auto& [path, access] : rules_) {
      rules.push_back({path, std::move(access)});
    }
    return rules;
  }

 private:
  void Add(const std::string& path, const std::set<std::string>& rights) {
    if (!rights.empty()) {
      rules_[IsAtOrBeneath(path, "/proc")      ? "/proc"
             : IsAtOrBeneath(path, "/dev/pts") ? "/dev/pts"
                                               : path]
          .insert(rights.begin(), rights.end());
    }
  }

  /// Where the rule for the file `path` sits.
  std::string PlaceOf(const std::string& path) const {
    if (const std::string changing = changes_.ChangingFolderOf(path); !changing.empty()) {
      return changing;
    }
    const std::string parent = ParentPath(path);
    return IsStaticPath(path) || IsSharedFolder(parent) || IsAtOrBeneath(path, "/dev") ||
                   IsAtOrBeneath(path, "/sys")
               ? path
               : parent;
  }

  void AddObject(const FileKey& key, const FileObservation& file) {
    const std::set<std::string> rights = OwnRights(key, file);
    if (key.file_class == FileClass::kDirectory) {
      Add(changes_.ExistingFolder(key.path), rights);
    } else {
      Add(PlaceOf(key.path), rights);
    }
    const std::string parent = changes_.ExistingFolder(ParentPath(key.path));
    if (file.access.HasAny({FileAccess::kCreate, FileAccess::kArrive})) {
      if (const std::string make = MakeRightOf(key.file_class); !make.empty()) {
        Add(parent, {make});
      }
    }
    if (file.access.HasAny({FileAccess::kUnlink, FileAccess::kRename})) {
      Add(parent, {RemoveRightOf(key.file_class)});
    }
  }

  /// A move across folders needs "refer" on both, and the kernel refuses it where the file would
  /// gain rights by it: all of them get the rights of each.
  void AddMoves() {
    const std::set<std::string>& folders = changes_.crossed_folders();
    std::set<std::string> rights{"refer"};
    for (const std::string& folder : folders) {
      rights.insert(rules_[folder].begin(), rules_[folder].end());
    }
    for (const std::string& folder : folders) {
      Add(folder, rights);
    }
  }

  /// The kernel opens a program and its interpreters for execution without a call that a recording
  /// could show.
  void AddPrograms() {
    for (const auto& [key, process] : recording_.processes) {
      if (key.executable.starts_with('/')) {
        Add(PlaceOf(key.executable), {"execute", "read_file"});
      }
      for (const std::string& interpreter : process.interpreters) {
        if (interpreter.starts_with('/')) {
          Add(PlaceOf(interpreter), {"execute", "read_file"});
        }
      }
    }
  }

  const Recording& recording_;
  const FileChanges& changes_;
  std::map<std::string, std::set<std::string>> rules_;
};

bool Mounts(const Recording& recording) {
  return std::ranges::any_of(recording.files, [](const auto& entry) {
    return entry.second.access.Has(FileAccess::kMount);
  });
}

}  // namespace

std::optional<std::vector<LandlockRule>> LandlockRules(const Recording& recording,
                                                       const FileChanges& changes) {
  if (Mounts(recording)) {
    return std::nullopt;
  }
  return RuleSet(recording, changes).Make();
}

}  // namespace cordon
