#include "runtime/mount_root.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>
#include <climits>
#include <cstring>

#include "runtime/linux_calls.h"

// linux/mount.h and sys/mount.h define the same enumerators differently in Debian 12, so mount(2)
// is declared here with its constants.
extern "C" int mount(const char*, const char*, const char*, unsigned long, const void*) noexcept;
extern "C" int umount2(const char*, int) noexcept;

namespace cordon {
namespace {

using namespace linux_calls;

constexpr unsigned kAtRecursive = 0x8000;  // fcntl.h: AT_RECURSIVE
constexpr int kDetach = 2;                 // sys/mount.h: MNT_DETACH

StepResult Failed(LaunchStep step, std::size_t index = 0) {
  return {step, errno, static_cast<std::uint32_t>(index)};
}

constexpr StepResult kDone{};

struct DeviceLink {
  const char* name;
  const char* target;
};

constexpr std::array<const char*, 6> kDeviceNodes{"null",   "zero",    "full",
                                                  "random", "urandom", "tty"};
constexpr std::array<DeviceLink, 5> kDeviceLinks{{{"fd", "/proc/self/fd"},
                                                  {"stdin", "/proc/self/fd/0"},
                                                  {"stdout", "/proc/self/fd/1"},
                                                  {"stderr", "/proc/self/fd/2"},
                                                  {"ptmx", "pts/ptmx"}}};

/// The host's device files, cloned before the host's tree is out of reach.
struct HostDevices {
  std::array<int, kDeviceNodes.size()> nodes{};
  int null = -1;  ///< O_PATH
};

StepResult OpenHostDevices(HostDevices& devices) {
  for (std::size_t i = 0; i < kDeviceNodes.size(); ++i) {
    std::array<char, 32> path{"/dev/"};
    std::strcpy(path.data() + 5, kDeviceNodes[i]);
    devices.nodes[i] = OpenTree(AT_FDCWD, path.data(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (devices.nodes[i] < 0) {
      return Failed(LaunchStep::kDeviceNode, i);
    }
  }
  // Not a clone: open_tree(2) clones only what is attached.
  devices.null = ::open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
  struct stat status{};
  if (devices.null < 0 || ::fstat(devices.null, &status) != 0) {
    return Failed(LaunchStep::kNullDevice);
  }
  if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3)) {
    return {LaunchStep::kNullDevice, ENODEV, 0};
  }
  return kDone;
}

StepResult OpenFileSystem(const MountStep& step, std::size_t index, int& mounted) {
  const int context = FsOpen(step.type.c_str());
  if (context < 0) {
    return Failed(LaunchStep::kMountFileSystem, index);
  }
  if (!step.source.empty() && FsSetString(context, "source", step.source.c_str()) != 0) {
    return Failed(LaunchStep::kMountFileSystem, index);
  }
  for (const auto& [key, value] : step.parameters) {
    if ((value.empty() ? FsSetFlag(context, key.c_str())
                       : FsSetString(context, key.c_str(), value.c_str())) != 0) {
      return Failed(LaunchStep::kMountFileSystem, index);
    }
  }
  if (FsCreate(context) != 0) {
    return Failed(LaunchStep::kMountFileSystem, index);
  }
  mounted = FsMount(context, step.attributes_set);
  if (mounted < 0) {
    return Failed(LaunchStep::kMountFileSystem, index);
  }
  (void)::close(context);
  return kDone;
}

StepResult OpenSource(const MountStep& step, std::size_t index, int& source) {
  if (step.kind == MountKind::kFileSystem) {
    return OpenFileSystem(step, index, source);
  }
  const unsigned recursive = step.recursive ? kAtRecursive : 0;
  source = OpenTree(AT_FDCWD, step.source.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive);
  if (source < 0 && step.optional && (errno == ENOENT || errno == ENOTDIR || errno == EACCES)) {
    source = -errno;
    return kDone;
  }
  if (source < 0) {
    return Failed(LaunchStep::kMountSource, index);
  }
  if ((step.attributes_set | step.attributes_clear) != 0 &&
      SetMountAttributes(source, recursive, step.attributes_set, step.attributes_clear) != 0) {
    return Failed(LaunchStep::kMountAttributes, index);
  }
  return kDone;
}

enum class Create : std::uint8_t { kFile, kDirectory };

/// The place `path` inside `root`, made with its parents where it is missing and the file system
/// there can be written. -1 with errno.
int OpenOrMakeTarget(int root, const char* path, Create create) {
  int target = OpenInRoot(root, path, O_PATH);
  if (target >= 0 || errno != ENOENT) {
    return target;
  }
  std::array<char, PATH_MAX> prefix{};
  const std::size_t length = std::strlen(path);
  if (length >= prefix.size()) {
    errno = ENAMETOOLONG;
    return -1;
  }
  int parent = OpenInRoot(root, "/", O_PATH | O_DIRECTORY);
  std::size_t start = 0;
  while (parent >= 0) {
    while (path[start] == '/') {
      ++start;
    }
    std::size_t end = start;
    while (path[end] != '/' && path[end] != '\0') {
      ++end;
    }
    std::array<char, NAME_MAX + 1> name{};
    if (end - start > NAME_MAX) {
      errno = ENAMETOOLONG;
      break;
    }
    std::memcpy(name.data(), path + start, end - start);
    std::memcpy(prefix.data(), path, end);
    prefix[end] = '\0';
    const bool last = path[end] == '\0' || path[end + 1] == '\0';
    int next = OpenInRoot(root, prefix.data(), O_PATH);
    if (next < 0 && errno == ENOENT) {
      const int made = last && create == Create::kFile
                           ? ::mknodat(parent, name.data(), S_IFREG | 0644, 0)
                           : ::mkdirat(parent, name.data(), 0755);
      next = made == 0 ? OpenInRoot(root, prefix.data(), O_PATH | O_NOFOLLOW) : -1;
    }
    const int saved = errno;
    (void)::close(parent);
    errno = saved;
    if (last || next < 0) {
      return next;
    }
    parent = next;
    start = end;
  }
  return -1;
}

StepResult AttachMount(int root, const MountStep& step, std::size_t index, int source) {
  struct stat status{};
  if (::fstat(source, &status) != 0) {
    return Failed(LaunchStep::kMountSource, index);
  }
  const int target = OpenOrMakeTarget(root, step.destination.c_str(),
                                      S_ISDIR(status.st_mode) ? Create::kDirectory : Create::kFile);
  if (target < 0) {
    return Failed(LaunchStep::kMountTarget, index);
  }
  if (MoveMount(source, target) != 0) {
    return Failed(LaunchStep::kMountAttach, index);
  }
  (void)::close(target);
  return kDone;
}

/// Nodes and links in the fresh tmpfs on /dev: the host's nodes by bind mount, since a user
/// namespace may not make nodes.
StepResult FillDev(int root, const HostDevices& devices) {
  const int dev = OpenInRoot(root, "/dev", O_PATH | O_DIRECTORY);
  if (dev < 0) {
    return Failed(LaunchStep::kDeviceNode);
  }
  for (std::size_t i = 0; i < kDeviceNodes.size(); ++i) {
    if (::mknodat(dev, kDeviceNodes[i], S_IFREG | 0666, 0) != 0) {
      return Failed(LaunchStep::kDeviceNode, i);
    }
    const int target = ::openat(dev, kDeviceNodes[i], O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (target < 0 || MoveMount(devices.nodes[i], target) != 0) {
      return Failed(LaunchStep::kDeviceNode, i);
    }
    (void)::close(target);
  }
  for (std::size_t i = 0; i < kDeviceLinks.size(); ++i) {
    if (::symlinkat(kDeviceLinks[i].target, dev, kDeviceLinks[i].name) != 0) {
      return Failed(LaunchStep::kDeviceLink, i);
    }
  }
  (void)::close(dev);
  return kDone;
}

bool IsAbsent(int error) {
  return error == ENOENT || error == ENOTDIR;
}

/// Covers each path that exists: a file by the host's /dev/null, a folder by an empty read-only
/// tmpfs.
StepResult MaskPaths(int root, const std::vector<std::string>& paths, int null_device) {
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const int target = OpenInRoot(root, paths[i].c_str(), O_PATH);
    if (target < 0) {
      if (IsAbsent(errno)) {
        continue;
      }
      return Failed(LaunchStep::kMaskPath, i);
    }
    struct stat status{};
    if (::fstat(target, &status) != 0) {
      return Failed(LaunchStep::kMaskPath, i);
    }
    int cover = -1;
    if (S_ISDIR(status.st_mode)) {
      const int context = FsOpen("tmpfs");
      if (context >= 0 && FsSetString(context, "size", "0k") == 0 && FsCreate(context) == 0) {
        cover = FsMount(
            context, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
      }
      (void)::close(context);
    } else {
      cover = OpenTree(null_device, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    }
    if (cover < 0 || MoveMount(cover, target) != 0) {
      return Failed(LaunchStep::kMaskPath, i);
    }
    (void)::close(cover);
    (void)::close(target);
  }
  return kDone;
}

StepResult MakeReadonly(int root, const std::vector<std::string>& paths) {
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const int target = OpenInRoot(root, paths[i].c_str(), O_PATH);
    if (target < 0) {
      if (IsAbsent(errno)) {
        continue;
      }
      return Failed(LaunchStep::kReadonlyPath, i);
    }
    const int tree =
        OpenTree(target, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | kAtRecursive);
    if (tree < 0 || SetMountAttributes(tree, kAtRecursive, MOUNT_ATTR_RDONLY, 0) != 0 ||
        MoveMount(tree, target) != 0) {
      return Failed(LaunchStep::kReadonlyPath, i);
    }
    (void)::close(tree);
    (void)::close(target);
  }
  return kDone;
}

/// Clones the root's mounts and attaches the clone over /proc, a folder that surely exists; nothing
/// of the old tree is needed by path any more.
StepResult AttachRoot(const LaunchPlan& plan, int& root) {
  root = OpenTree(AT_FDCWD, plan.root_path.c_str(),
                  OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | kAtRecursive);
  if (root < 0) {
    return Failed(LaunchStep::kCloneRoot);
  }
  // Device files of the host are not for the sandbox: it gets nodes of its own. nosuid is left to
  // no_new_privs, for it would also need a permission of its own for each SELinux transition.
  const std::uint64_t attributes = MOUNT_ATTR_NODEV | (plan.root_readonly ? MOUNT_ATTR_RDONLY : 0);
  if (SetMountAttributes(root, kAtRecursive, attributes, 0) != 0) {
    return Failed(LaunchStep::kReadonlyRoot);
  }
  const int place = ::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (place < 0 || MoveMount(root, place) != 0) {
    return Failed(LaunchStep::kAttachRoot);
  }
  (void)::close(place);
  return kDone;
}

StepResult EnterRoot(int root) {
  // pivot_root(".", ".") stacks the old root on the new one; the detach then removes it
  // (pivot_root(2), NOTES).
  if (::fchdir(root) != 0 || PivotRoot(".", ".") != 0 || ::umount2(".", kDetach) != 0 ||
      ::chdir("/") != 0) {
    return Failed(LaunchStep::kPivotRoot);
  }
  (void)::close(root);
  return kDone;
}

StepResult MountEverything(const LaunchPlan& plan, int root, const HostDevices& devices,
                           const std::vector<int>& sources) {
  for (std::size_t i = 0; i < plan.mounts.size(); ++i) {
    if (sources[i] < 0) {
      continue;
    }
    if (const StepResult result = AttachMount(root, plan.mounts[i], i, sources[i]); !result.ok()) {
      return result;
    }
    if (plan.mounts[i].destination == "/dev" && plan.mounts[i].type == "tmpfs") {
      if (const StepResult result = FillDev(root, devices); !result.ok()) {
        return result;
      }
    }
  }
  return kDone;
}

}  // namespace

StepResult MountRoot(const LaunchPlan& plan, MountScratch& scratch) {
  constexpr unsigned long kPrivateRecursive =
      (1UL << 18) | (1UL << 14);  // sys/mount.h: MS_PRIVATE | MS_REC
  if (::mount(nullptr, "/", nullptr, kPrivateRecursive, nullptr) != 0) {
    return Failed(LaunchStep::kPrivateMounts);
  }
  HostDevices devices;
  if (const StepResult result = OpenHostDevices(devices); !result.ok()) {
    return result;
  }
  for (std::size_t i = 0; i < plan.mounts.size(); ++i) {
    if (const StepResult result = OpenSource(plan.mounts[i], i, scratch.sources[i]); !result.ok()) {
      return result;
    }
    if (plan.mounts[i].type == "proc") {
      scratch.private_proc = scratch.sources[i];
    }
  }
  int root = -1;
  if (const StepResult result = AttachRoot(plan, root); !result.ok()) {
    return result;
  }
  if (const StepResult result = MountEverything(plan, root, devices, scratch.sources);
      !result.ok()) {
    return result;
  }
  if (const StepResult result = MakeReadonly(root, plan.readonly_paths); !result.ok()) {
    return result;
  }
  if (const StepResult result = MaskPaths(root, plan.masked_paths, devices.null); !result.ok()) {
    return result;
  }
  return EnterRoot(root);
}

}  // namespace cordon
