#include "generator/writable_mounts.h"

#include <algorithm>
#include <array>
#include <map>

#include "generator/path_names.h"

namespace cordon {
namespace {

enum class Access : std::uint8_t { kRead, kWrite };

/// File systems of the sandbox's own: nothing of the host is written there.
constexpr std::array<std::string_view, 4> kOwnFolders{"/proc", "/sys", "/dev", "/tmp"};
/// What every sandbox has in /dev.
constexpr std::array<std::string_view, 14> kOwnDevices{
    "/dev/null", "/dev/zero",  "/dev/full",   "/dev/random", "/dev/urandom",
    "/dev/tty",  "/dev/pts",   "/dev/ptmx",   "/dev/shm",    "/dev/mqueue",
    "/dev/fd",   "/dev/stdin", "/dev/stdout", "/dev/stderr"};

bool IsOwn(const std::string& path) {
  return std::ranges::any_of(kOwnFolders,
                             [&](std::string_view folder) { return IsAtOrBeneath(path, folder); });
}

bool IsOwnDevice(const std::string& path) {
  return path == "/dev" || std::ranges::any_of(kOwnDevices, [&](std::string_view device) {
           return IsAtOrBeneath(path, device);
         });
}

class MountSet {
 public:
  void Add(const std::string& path, Access access) {
    Access& present = mounts_.try_emplace(path, access).first->second;
    present = std::max(present, access);
  }

  /// Without those that an outer one of the same access already covers.
  std::vector<Mount> List() const {
    std::vector<Mount> list;
    for (const auto& [path, access] : mounts_) {
      const auto covers = [&](const auto& outer) {
        return outer.first != path && outer.second >= access && IsAtOrBeneath(path, outer.first);
      };
      if (std::ranges::none_of(mounts_, covers)) {
        list.push_back({path, "bind", path, {"rbind", access == Access::kWrite ? "rw" : "ro"}});
      }
    }
    return list;
  }

 private:
  std::map<std::string, Access> mounts_;
};

/// What of the host's /tmp was used: the outermost entry that was there before.
void AddTemporary(const FileKey& key, const FileObservation& file, const FileChanges& changes,
                  MountSet& mounts) {
  constexpr std::size_t kPrefix = std::string_view("/tmp/").size();
  const std::string entry = key.path.substr(0, key.path.find('/', kPrefix));
  if (file.access.empty() || changes.WasCreated(entry)) {
    return;
  }
  mounts.Add(entry, Access::kRead);
  if (ChangesParent(file)) {
    const std::string folder = changes.ExistingFolder(ParentPath(key.path));
    if (folder != "/tmp") {
      mounts.Add(folder, Access::kWrite);
    }
  } else if (ChangesFile(file)) {
    mounts.Add(key.path, Access::kWrite);
  }
}

/// rename(2) and link(2) never work across mounts: folders between which something moved share one,
/// on the folder above them. Where that is one that many programs share, the move fails as between
/// file systems, and programs copy instead.
void AddCrossed(const FileChanges& changes, MountSet& mounts) {
  std::string above;
  std::size_t count = 0;
  for (const std::string& folder : changes.crossed_folders()) {
    if (IsOwn(folder)) {
      continue;
    }
    above = count++ == 0 ? folder : above;
    while (!IsAtOrBeneath(folder, above)) {
      above = ParentPath(above);
    }
  }
  if (count > 1 && !IsSharedFolder(above) && !IsStaticPath(above)) {
    mounts.Add(above, Access::kWrite);
  }
}

}  // namespace

std::vector<Mount> WritableMounts(const Recording& recording, const FileChanges& changes) {
  MountSet mounts;
  for (const std::string& folder : changes.changing_folders()) {
    if (folder != "/" && !IsOwn(folder)) {
      mounts.Add(folder, Access::kWrite);
    }
  }
  AddCrossed(changes, mounts);
  for (const auto& [key, file] : recording.files) {
    if (!HasPath(key)) {
      continue;
    }
    if (key.path.starts_with("/tmp/")) {
      AddTemporary(key, file, changes, mounts);
      continue;
    }
    if (IsAtOrBeneath(key.path, "/dev")) {
      if (!file.access.empty() && !IsOwnDevice(key.path) &&
          key.file_class != FileClass::kDirectory && key.file_class != FileClass::kSymlink) {
        mounts.Add(key.path, Access::kWrite);
      }
      continue;
    }
    const bool special =
        key.file_class != FileClass::kFile && key.file_class != FileClass::kDirectory;
    if (ChangesFile(file) && !IsOwn(key.path) && changes.ChangingFolderOf(key.path).empty() &&
        key.path != "/" && !changes.WasCreated(key.path) &&
        (!special || file.access.Has(FileAccess::kSetattr))) {
      mounts.Add(key.path, Access::kWrite);
    }
  }
  return mounts.List();
}

}  // namespace cordon
