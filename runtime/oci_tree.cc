#include "runtime/oci_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "runtime/launch_actions.h"
#include "runtime/linux_calls.h"
#include "runtime/oci_copy_up.h"
#include "runtime/oci_target.h"

// linux/mount.h and sys/mount.h define the same enumerators differently in Debian 12, so mount(2)
// is declared here with its constants.
extern "C" int mount(const char*, const char*, const char*, unsigned long, const void*) noexcept;
extern "C" int umount2(const char*, int) noexcept;

namespace cordon {
namespace {

using namespace linux_calls;

constexpr unsigned kAtRecursive = 0x8000;        // fcntl.h: AT_RECURSIVE
constexpr unsigned long kRecursive = 1UL << 14;  // MS_REC, MS_UNBINDABLE, MS_PRIVATE, MS_SHARED
constexpr unsigned long kUnbindable = 1UL << 17;
constexpr unsigned long kPrivate = 1UL << 18;
constexpr unsigned long kShared = 1UL << 20;

struct Link {
  const char* name;
  const char* target;
};

constexpr std::array<Link, 4> kDeviceLinks{{{"fd", "/proc/self/fd"},
                                            {"stdin", "/proc/self/fd/0"},
                                            {"stdout", "/proc/self/fd/1"},
                                            {"stderr", "/proc/self/fd/2"}}};

/// A file system of the kernel behind a link is where an image wants it, and what comes to its
/// real place is the image's own (CVE-2019-19921, CVE-2026-41579).
std::uint64_t ResolveFor(const char* destination) {
  constexpr std::array<const char*, 3> kFolders{"/proc", "/sys", "/dev"};
  for (const char* const folder : kFolders) {
    const std::size_t length = std::strlen(folder);
    if (std::strncmp(destination, folder, length) == 0 &&
        (destination[length] == '\0' || destination[length] == '/')) {
      return RESOLVE_NO_SYMLINKS;
    }
  }
  return 0;
}

StepResult MakeFileSystem(const OciMountStep& step, std::size_t index, int& mounted) {
  const int context = FsOpen(step.type.c_str());
  if (context < 0 ||
      (!step.source.empty() && FsSetString(context, "source", step.source.c_str()) != 0)) {
    return Failed(LaunchStep::kMountFileSystem, index);
  }
  for (const auto& [key, value] : step.parameters) {
    if ((value.empty() ? FsSetFlag(context, key.c_str())
                       : FsSetString(context, key.c_str(), value.c_str())) != 0) {
      return Failed(LaunchStep::kMountFileSystem, index);
    }
  }
  if (FsCreate(context) != 0 ||
      // What is copied up must be written first.
      (mounted =
           FsMount(context, step.copy_up ? step.attributes_set & ~std::uint64_t{MOUNT_ATTR_RDONLY}
                                         : step.attributes_set)) < 0) {
    return Failed(LaunchStep::kMountFileSystem, index);
  }
  (void)::close(context);
  return kDone;
}

/// The new tmpfs is not attached yet: what it will hide is copied into it.
StepResult FillFromBelow(const OciMountStep& step, std::size_t index, int target, int mounted) {
  if (!step.copy_up) {
    return kDone;
  }
  const int from = OpenInRoot(target, ".", O_RDONLY | O_DIRECTORY, 0);
  const int to = ::openat(mounted, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (from < 0 || to < 0 || CopyUp(from, to) != 0) {
    return Failed(LaunchStep::kCopyUp, index);
  }
  (void)::close(from);
  (void)::close(to);
  if ((step.attributes_set & MOUNT_ATTR_RDONLY) != 0 &&
      SetMountAttributes(mounted, 0, MOUNT_ATTR_RDONLY, 0) != 0) {
    return Failed(LaunchStep::kMountAttributes, index);
  }
  return kDone;
}

unsigned long PropagationFlag(OciPropagation propagation) {
  constexpr unsigned long kSlave = 1UL << 19;
  return propagation == OciPropagation::kPrivate  ? kPrivate
         : propagation == OciPropagation::kSlave  ? kSlave
         : propagation == OciPropagation::kShared ? kShared
                                                  : kUnbindable;
}

StepResult Remount(int root, const OciMountStep& step, std::size_t index) {
  const int target =
      OpenInRoot(root, step.destination.c_str(), O_PATH, ResolveFor(step.destination.c_str()));
  if (target < 0) {
    return Failed(LaunchStep::kMountTarget, index);
  }
  if (SetMountAttributes(target, 0, step.attributes_set, step.attributes_clear) != 0 ||
      SetMountAttributes(target, kAtRecursive, step.below_set, step.below_clear) != 0) {
    return Failed(LaunchStep::kMountAttributes, index);
  }
  (void)::close(target);
  return kDone;
}

StepResult MakeLink(int root, const OciMountStep& step, std::size_t index) {
  const char* name = nullptr;
  const int parent =
      OpenOciParent(root, step.destination.c_str(), ResolveFor(step.destination.c_str()), name);
  if (parent < 0 || (::symlinkat(step.source.c_str(), parent, name) != 0 && errno != EEXIST)) {
    return Failed(LaunchStep::kMountTarget, index);
  }
  (void)::close(parent);
  return kDone;
}

StepResult Attach(int root, const OciMountStep& step, std::size_t index, int source) {
  int mounted = source;
  if (step.kind == OciMountKind::kFileSystem) {
    if (const StepResult result = MakeFileSystem(step, index, mounted); !result.ok()) {
      return result;
    }
  }
  struct stat status{};
  if (::fstat(mounted, &status) != 0) {
    return Failed(LaunchStep::kMountSource, index);
  }
  const int target =
      OpenOrMakeOciTarget(root, step.destination.c_str(),
                          S_ISDIR(status.st_mode) ? OciTargetKind::kFolder : OciTargetKind::kFile,
                          ResolveFor(step.destination.c_str()));
  if (target < 0) {
    return Failed(LaunchStep::kMountTarget, index);
  }
  if (const StepResult result = FillFromBelow(step, index, target, mounted); !result.ok()) {
    return result;
  }
  if (MoveMount(mounted, target) != 0) {
    return Failed(LaunchStep::kMountAttach, index);
  }
  if (step.kind == OciMountKind::kFileSystem && (step.below_set | step.below_clear) != 0 &&
      SetMountAttributes(mounted, kAtRecursive, step.below_set, step.below_clear) != 0) {
    return Failed(LaunchStep::kMountAttributes, index);
  }
  if (step.kind == OciMountKind::kFileSystem && step.propagation) {
    mount_attr mode{};
    mode.propagation = PropagationFlag(step.propagation->propagation);
    if (::syscall(SYS_mount_setattr, mounted, "", AT_EMPTY_PATH, &mode, sizeof mode) != 0) {
      return Failed(LaunchStep::kPropagation, index);
    }
  }
  (void)::close(target);
  (void)::close(mounted);
  return kDone;
}

StepResult MountAll(const OciContainerPlan& plan, const OciTreeSources& sources) {
  for (std::size_t i = 0; i < plan.mounts.size(); ++i) {
    const OciMountStep& step = plan.mounts[i];
    const StepResult result = step.kind == OciMountKind::kRemount ? Remount(sources.root, step, i)
                              : step.kind == OciMountKind::kLink
                                  ? MakeLink(sources.root, step, i)
                                  : Attach(sources.root, step, i, sources.mounts[i]);
    if (!result.ok()) {
      return result;
    }
  }
  return kDone;
}

bool IsDevice(const struct stat& status, mode_t mode, dev_t number) {
  return (status.st_mode & S_IFMT) == (mode & S_IFMT) &&
         (S_ISFIFO(mode) || status.st_rdev == number);
}

StepResult MakeNode(const OciDevice& device, std::size_t index, int parent, const char* name) {
  const mode_t mode = (device.type == 'c'   ? S_IFCHR
                       : device.type == 'b' ? S_IFBLK
                                            : S_IFIFO) |
                      static_cast<mode_t>(device.mode & 07777);
  const dev_t number = device.type == 'p' ? 0 : makedev(device.major, device.minor);
  if (::mknodat(parent, name, mode, number) != 0) {
    struct stat status{};
    if (errno != EEXIST || ::fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return Failed(LaunchStep::kDevice, index);
    }
    if (!IsDevice(status, mode, number)) {
      return {LaunchStep::kDevice, EEXIST, static_cast<std::uint32_t>(index)};
    }
  }
  return ::fchownat(parent, name, device.uid, device.gid, AT_SYMLINK_NOFOLLOW) == 0
             ? kDone
             : Failed(LaunchStep::kDevice, index);
}

StepResult BindNode(std::size_t index, int parent, const char* name, int source) {
  if (::mknodat(parent, name, S_IFREG | 0666, 0) != 0 && errno != EEXIST) {
    return Failed(LaunchStep::kDevice, index);
  }
  const int target = ::openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (target < 0 || MoveMount(source, target) != 0) {
    return Failed(LaunchStep::kDevice, index);
  }
  (void)::close(target);
  return kDone;
}

StepResult MakeDevices(const OciContainerPlan& plan, const OciTreeSources& sources) {
  for (std::size_t i = 0; i < plan.devices.size(); ++i) {
    const OciDevice& device = plan.devices[i].device;
    const char* name = nullptr;
    const int parent = OpenOciParent(sources.root, device.path.c_str(), RESOLVE_NO_SYMLINKS, name);
    if (parent < 0) {
      return Failed(LaunchStep::kDevice, i);
    }
    const StepResult result = sources.devices[i] >= 0
                                  ? BindNode(i, parent, name, sources.devices[i])
                                  : MakeNode(device, i, parent, name);
    if (!result.ok()) {
      return result;
    }
    (void)::close(parent);
  }
  return kDone;
}

StepResult MakeDeviceLinks(const OciTreeSources& sources) {
  const int dev =
      OpenOrMakeOciTarget(sources.root, "/dev", OciTargetKind::kFolder, RESOLVE_NO_SYMLINKS);
  if (dev < 0) {
    return Failed(LaunchStep::kDeviceLink);
  }
  for (std::size_t i = 0; i < kDeviceLinks.size(); ++i) {
    if (::symlinkat(kDeviceLinks[i].target, dev, kDeviceLinks[i].name) != 0 && errno != EEXIST) {
      return Failed(LaunchStep::kDeviceLink, i);
    }
  }
  if (::faccessat(sources.proc, "kcore", F_OK, 0) == 0 &&
      ::symlinkat("/proc/kcore", dev, "core") != 0 && errno != EEXIST) {
    return Failed(LaunchStep::kDeviceLink);
  }
  // An image's own would lead to the host's terminals.
  if ((::unlinkat(dev, "ptmx", 0) != 0 && errno != ENOENT) ||
      ::symlinkat("pts/ptmx", dev, "ptmx") != 0) {
    return Failed(LaunchStep::kDeviceLink);
  }
  (void)::close(dev);
  return kDone;
}

StepResult WriteSettings(const OciContainerPlan& plan, int proc) {
  if (plan.settings.empty()) {
    return kDone;
  }
  const int sys = ::openat(proc, "sys", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  for (std::size_t i = 0; i < plan.settings.size(); ++i) {
    const OciSetting& setting = plan.settings[i];
    const int file =
        OpenInRoot(sys, setting.path.c_str(), O_WRONLY, RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
    if (file < 0 || ::write(file, setting.value.data(), setting.value.size()) !=
                        static_cast<ssize_t>(setting.value.size())) {
      return Failed(LaunchStep::kSetting, i);
    }
    (void)::close(file);
  }
  (void)::close(sys);
  return kDone;
}

bool IsAbsent(int error) {
  return error == ENOENT || error == ENOTDIR;
}

int EmptyFolder() {
  const int context = FsOpen("tmpfs");
  if (context < 0 || FsSetString(context, "size", "0k") != 0 || FsCreate(context) != 0) {
    return -1;
  }
  const int mounted = FsMount(
      context, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  (void)::close(context);
  return mounted;
}

/// The host's, and surely device 1:3. The root is still the host's; a clone needs a mount of the
/// caller's own namespace (open_tree(2)).
StepResult OpenNull(int& null_device) {
  null_device = ::open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
  struct stat status{};
  if (null_device < 0 || ::fstat(null_device, &status) != 0) {
    return Failed(LaunchStep::kNullDevice);
  }
  return S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3)
             ? kDone
             : StepResult{LaunchStep::kNullDevice, ENODEV, 0};
}

/// A file is covered by the host's /dev/null, a folder by an empty read-only tmpfs.
StepResult MaskPaths(const OciContainerPlan& plan, int root) {
  int null_device = -1;
  if (const StepResult result = OpenNull(null_device); !result.ok()) {
    return result;
  }
  for (std::size_t i = 0; i < plan.masked_paths.size(); ++i) {
    const int target = OpenInRoot(root, plan.masked_paths[i].c_str(), O_PATH, 0);
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
    const int cover =
        S_ISDIR(status.st_mode)
            ? EmptyFolder()
            : OpenTree(null_device, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    if (cover < 0 || MoveMount(cover, target) != 0) {
      return Failed(LaunchStep::kMaskPath, i);
    }
    (void)::close(cover);
    (void)::close(target);
  }
  (void)::close(null_device);
  return kDone;
}

StepResult MakeReadonly(const OciContainerPlan& plan, int root) {
  for (std::size_t i = 0; i < plan.readonly_paths.size(); ++i) {
    const int target = OpenInRoot(root, plan.readonly_paths[i].c_str(), O_PATH, 0);
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

StepResult SetRootPropagation(const OciContainerPlan& plan) {
  if (!plan.root_propagation || plan.root_propagation->propagation == OciPropagation::kSlave) {
    return kDone;
  }
  const unsigned long flags = PropagationFlag(plan.root_propagation->propagation) |
                              (plan.root_propagation->recursive ? kRecursive : 0);
  return ::mount(nullptr, "/", nullptr, flags, nullptr) == 0
             ? kDone
             : Failed(LaunchStep::kPropagation, plan.mounts.size());
}

}  // namespace

StepResult BuildOciTree(const OciContainerPlan& plan, const OciTreeSources& sources) {
  if (::mount(nullptr, "/", nullptr, kPrivate | kRecursive, nullptr) != 0) {
    return Failed(LaunchStep::kPrivateMounts);
  }
  int place = ::open(plan.root_path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (place < 0 && errno == EACCES) {
    // Another user's folder, seen from a user namespace: any folder will do until it is the root.
    place = ::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
  }
  if (place < 0 || MoveMount(sources.root, place) != 0) {
    return Failed(LaunchStep::kTreeRoot);
  }
  (void)::close(place);
  if (const StepResult result = MountAll(plan, sources); !result.ok()) {
    return result;
  }
  if (plan.fill_dev) {
    if (const StepResult result = MakeDevices(plan, sources); !result.ok()) {
      return result;
    }
    if (const StepResult result = MakeDeviceLinks(sources); !result.ok()) {
      return result;
    }
  }
  return WriteSettings(plan, sources.proc);
}

StepResult EnterOciTree(const OciContainerPlan& plan, const OciTreeSources& sources) {
  const int working = OpenOrMakeOciTarget(sources.root, plan.process.working_directory.c_str(),
                                          OciTargetKind::kFolder, 0);
  // Where it cannot be made, the change to it says why.
  if (working >= 0) {
    (void)::close(working);
  }
  if (plan.root_readonly && SetMountAttributes(sources.root, 0, MOUNT_ATTR_RDONLY, 0) != 0) {
    return Failed(LaunchStep::kReadonlyRoot);
  }
  if (const StepResult result = MakeReadonly(plan, sources.root); !result.ok()) {
    return result;
  }
  if (const StepResult result = MaskPaths(plan, sources.root); !result.ok()) {
    return result;
  }
  if (const StepResult result = PivotInto(sources.root); !result.ok()) {
    return result;
  }
  return SetRootPropagation(plan);
}

}  // namespace cordon
