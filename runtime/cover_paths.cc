#include "runtime/cover_paths.h"

#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <string>

#include "runtime/linux_calls.h"

namespace cordon {
namespace {

using namespace linux_calls;

constexpr unsigned kAtRecursive = 0x8000;  // fcntl.h: AT_RECURSIVE

bool IsAbsent(int error) {
  return error == ENOENT || error == ENOTDIR;
}

bool HasPlannedPlace(const MountStep& mount) {
  return mount.kind == MountKind::kFileSystem && (mount.type == "proc" || mount.type == "sysfs");
}

/// O_PATH, or -1 with errno.
int OpenCovered(const LaunchPlan& plan, const MountScratch& scratch, int root,
                const std::string& path) {
  for (std::size_t i = 0; Holds(Guard::kOwnProc) && i < plan.mounts.size(); ++i) {
    const std::string& place = plan.mounts[i].destination;
    if (scratch.sources[i] >= 0 && HasPlannedPlace(plan.mounts[i]) &&
        path.size() > place.size() + 1 && path.compare(0, place.size(), place) == 0 &&
        path[place.size()] == '/') {
      return OpenInRoot(scratch.sources[i], path.c_str() + place.size(), O_PATH,
                        RESOLVE_NO_SYMLINKS);
    }
  }
  return OpenInRoot(root, path.c_str(), O_PATH);
}

int EmptyFolder() {
  int cover = -1;
  const int context = FsOpen("tmpfs");
  if (context >= 0 && FsSetString(context, "size", "0k") == 0 && FsCreate(context) == 0) {
    cover = FsMount(context,
                    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  }
  const int mount_errno = errno;
  (void)::close(context);
  errno = mount_errno;
  return cover;
}

int NullFile(int root, int null_device) {
  if (Holds(Guard::kHostNullDevice)) {
    return OpenTree(null_device, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
  }
  const int inside = OpenInRoot(root, "/dev/null", O_PATH);
  return OpenTree(inside, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
}

StepResult MaskPath(const LaunchPlan& plan, const MountScratch& scratch, int root, int null_device,
                    std::size_t index) {
  const int target = OpenCovered(plan, scratch, root, plan.masked_paths[index]);
  if (target < 0) {
    return IsAbsent(errno) ? kDone : Failed(LaunchStep::kMaskPath, index);
  }
  struct stat status{};
  if (::fstat(target, &status) != 0) {
    return Failed(LaunchStep::kMaskPath, index);
  }
  const int cover = S_ISDIR(status.st_mode) ? EmptyFolder() : NullFile(root, null_device);
  if (cover < 0 || MoveMount(cover, target) != 0) {
    return Failed(LaunchStep::kMaskPath, index);
  }
  (void)::close(cover);
  (void)::close(target);
  return kDone;
}

StepResult MakeReadonly(const LaunchPlan& plan, const MountScratch& scratch, int root,
                        std::size_t index) {
  const int target = OpenCovered(plan, scratch, root, plan.readonly_paths[index]);
  if (target < 0) {
    return IsAbsent(errno) ? kDone : Failed(LaunchStep::kReadonlyPath, index);
  }
  const int tree =
      OpenTree(target, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | kAtRecursive);
  if (tree < 0 || SetMountAttributes(tree, kAtRecursive, MOUNT_ATTR_RDONLY, 0) != 0 ||
      MoveMount(tree, target) != 0) {
    return Failed(LaunchStep::kReadonlyPath, index);
  }
  (void)::close(tree);
  (void)::close(target);
  return kDone;
}

/// Whether the mount of `place` has at least `attributes`. ST_RDONLY, ST_NOSUID, ST_NODEV and
/// ST_NOEXEC of statfs(2) are the same bits as MOUNT_ATTR_*.
bool HasAttributes(int place, std::uint64_t attributes) {
  constexpr std::uint64_t kSeen =
      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  struct statfs status{};
  const std::uint64_t wanted = attributes & kSeen;
  return ::fstatfs(place, &status) == 0 &&
         (static_cast<std::uint64_t>(status.f_flags) & wanted) == wanted;
}

bool IsCovered(int place) {
  struct stat status{};
  if (::fstat(place, &status) != 0) {
    return false;
  }
  return S_ISDIR(status.st_mode)
             ? HasAttributes(place, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC) && status.st_nlink == 2
             : S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
}

StepResult CheckCovered(const LaunchPlan& plan, const MountScratch& scratch, int root,
                        const std::string& path, const StepResult& wrong) {
  const int place = OpenCovered(plan, scratch, root, path);
  if (place < 0) {
    return IsAbsent(errno) ? kDone : wrong;
  }
  const bool right = wrong.step == LaunchStep::kMaskPath
                         ? IsCovered(place)
                         : HasAttributes(place, MOUNT_ATTR_RDONLY) || IsCovered(place);
  (void)::close(place);
  return right ? kDone : wrong;
}

}  // namespace

StepResult CoverPaths(const LaunchPlan& plan, const MountScratch& scratch, int root,
                      int null_device) {
  for (std::size_t i = 0; Holds(Guard::kReadonlyPaths) && i < plan.readonly_paths.size(); ++i) {
    if (const StepResult result = MakeReadonly(plan, scratch, root, i); !result.ok()) {
      return result;
    }
  }
  for (std::size_t i = 0; i < plan.masked_paths.size(); ++i) {
    if (const StepResult result = MaskPath(plan, scratch, root, null_device, i); !result.ok()) {
      return result;
    }
  }
  return kDone;
}

StepResult CheckTree(const LaunchPlan& plan, const MountScratch& scratch, int root) {
  if (!Holds(Guard::kConfinement)) {
    return kDone;
  }
  // EREMCHG: the tree was changed under our hands.
  constexpr int kChanged = EREMCHG;
  const std::uint64_t root_attributes =
      MOUNT_ATTR_NODEV | (plan.root_readonly ? std::uint64_t{MOUNT_ATTR_RDONLY} : 0);
  if (!HasAttributes(root, root_attributes)) {
    return {LaunchStep::kReadonlyRoot, kChanged, 0};
  }
  for (std::size_t i = 0; i < plan.mounts.size(); ++i) {
    if (scratch.sources[i] >= 0 &&
        !HasAttributes(scratch.sources[i], plan.mounts[i].attributes_set)) {
      return {LaunchStep::kMountAttributes, kChanged, static_cast<std::uint32_t>(i)};
    }
  }
  for (std::size_t i = 0; i < plan.readonly_paths.size(); ++i) {
    const StepResult wrong{LaunchStep::kReadonlyPath, kChanged, static_cast<std::uint32_t>(i)};
    if (const StepResult result = CheckCovered(plan, scratch, root, plan.readonly_paths[i], wrong);
        !result.ok()) {
      return result;
    }
  }
  for (std::size_t i = 0; i < plan.masked_paths.size(); ++i) {
    const StepResult wrong{LaunchStep::kMaskPath, kChanged, static_cast<std::uint32_t>(i)};
    if (const StepResult result = CheckCovered(plan, scratch, root, plan.masked_paths[i], wrong);
        !result.ok()) {
      return result;
    }
  }
  return kDone;
}

}  // namespace cordon
