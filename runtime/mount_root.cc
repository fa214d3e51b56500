#include "runtime/mount_root.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>
#include <climits>
#include <cstring>

#include "runtime/cover_paths.h"
#include "runtime/launch_actions.h"
#include "runtime/linux_calls.h"
#include "runtime/terminal_actions.h"

// linux/mount.h and sys/mount.h define the same enumerators differently in Debian 12, so mount(2)
// is declared here with its constants.
extern "C" int mount(const char*, const char*, const char*, unsigned long, const void*) noexcept;
extern "C" int umount2(const char*, int) noexcept;

namespace cordon {
namespace {

using namespace linux_calls;

constexpr unsigned kAtRecursive = 0x8000;  // fcntl.h: AT_RECURSIVE

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
    std::memcpy(path.data() + 5, kDeviceNodes[i], std::strlen(kDeviceNodes[i]));
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
  if (source >= 0) {
    return kDone;  // opened outside
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
  if (step.propagation == MountPropagation::kSlave && MakeSlave(source, kAtRecursive) != 0) {
    return Failed(LaunchStep::kMountAttributes, index);
  }
  const std::uint64_t set =
      step.attributes_set & ~(Holds(Guard::kNoDevices) ? 0 : std::uint64_t{MOUNT_ATTR_NODEV});
  if ((set | step.attributes_clear) != 0 &&
      SetMountAttributes(source, recursive, set, step.attributes_clear) != 0) {
    return Failed(LaunchStep::kMountAttributes, index);
  }
  return kDone;
}

enum class Create : std::uint8_t { kFile, kDirectory };

/// Whether the destination is one of the folders in which programs trust what they find, or below.
bool IsKernelFolder(const std::string& destination) {
  constexpr std::array<std::string_view, 3> kFolders{"/proc", "/sys", "/dev"};
  for (const std::string_view folder : kFolders) {
    if (destination.starts_with(folder) &&
        (destination.size() == folder.size() || destination[folder.size()] == '/')) {
      return true;
    }
  }
  return false;
}

/// The place `path` inside `root`, made with its parents where it is missing and the file system
/// there can be written. -1 with errno.
int OpenOrMakeTarget(int root, const char* path, Create create, std::uint64_t resolve) {
  int target = OpenInRoot(root, path, O_PATH, resolve);
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
    int next = OpenInRoot(root, prefix.data(), O_PATH, resolve);
    if (next < 0 && errno == ENOENT) {
      const int made = last && create == Create::kFile
                           ? ::mknodat(parent, name.data(), S_IFREG | 0644, 0)
                           : ::mkdirat(parent, name.data(), 0755);
      next = made == 0 ? OpenInRoot(root, prefix.data(), O_PATH | O_NOFOLLOW, resolve) : -1;
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
  // A file system of the kernel behind a link is where an image wants it, and what comes to its
  // real place is the image's own (CVE-2019-19921, CVE-2026-41579).
  const std::uint64_t resolve = Holds(Guard::kPlainFolders) &&
                                        step.kind == MountKind::kFileSystem &&
                                        IsKernelFolder(step.destination)
                                    ? RESOLVE_NO_SYMLINKS
                                    : 0;
  const int target =
      OpenOrMakeTarget(root, step.destination.c_str(),
                       S_ISDIR(status.st_mode) ? Create::kDirectory : Create::kFile, resolve);
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

/// Clones the root's mounts and attaches the clone over /proc, a folder that surely exists; nothing
/// of the old tree is needed by path any more.
StepResult AttachRoot(const LaunchPlan& plan, int& root) {
  if (root < 0) {
    root = OpenTree(AT_FDCWD, plan.root_path.c_str(),
                    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | kAtRecursive);
  }
  if (root < 0) {
    return Failed(LaunchStep::kCloneRoot);
  }
  // Device files of the host are not for the sandbox: it gets nodes of its own. nosuid is left to
  // no_new_privs, for it would also need a permission of its own for each SELinux transition.
  const std::uint64_t attributes = (Holds(Guard::kNoDevices) ? MOUNT_ATTR_NODEV : 0) |
                                   (plan.root_readonly ? MOUNT_ATTR_RDONLY : 0);
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

/// The terminal comes from the devpts that was made, wherever /dev/pts leads.
StepResult MakeTerminal(const LaunchPlan& plan, MountScratch& scratch, int root) {
  if (!plan.terminal) {
    return kDone;
  }
  int devpts = -1;
  for (std::size_t i = 0; i < plan.mounts.size(); ++i) {
    devpts = plan.mounts[i].type == "devpts" ? scratch.sources[i] : devpts;
  }
  if (const StepResult result = OpenMultiplexer(devpts, "/ptmx", scratch.master); !result.ok()) {
    return result;
  }
  if (const StepResult result = OpenTerminalOf(scratch.master, scratch.terminal); !result.ok()) {
    return result;
  }
  return ShowConsole(root, scratch.terminal);
}

/// An attached mount needs its descriptor no more; the procfs is still to be written through.
void CloseAll(const HostDevices& devices, const MountScratch& scratch) {
  for (const int node : devices.nodes) {
    (void)::close(node);
  }
  (void)::close(devices.null);
  for (const int source : scratch.sources) {
    if (source >= 0 && source != scratch.private_proc) {
      (void)::close(source);
    }
  }
}

}  // namespace

StepResult MountRoot(const LaunchPlan& plan, MountScratch& scratch) {
  constexpr unsigned long kPrivateRecursive =
      (1UL << 18) | (1UL << 14);  // sys/mount.h: MS_PRIVATE | MS_REC
  // What is to be a slave of the host's mount must be cloned while it is still its peer.
  for (std::size_t i = 0; i < plan.mounts.size(); ++i) {
    if (plan.mounts[i].propagation == MountPropagation::kSlave) {
      if (const StepResult result = OpenSource(plan.mounts[i], i, scratch.sources[i]);
          !result.ok()) {
        return result;
      }
    }
  }
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
  int& root = scratch.root;
  if (const StepResult result = AttachRoot(plan, root); !result.ok()) {
    return result;
  }
  if (const StepResult result = MountEverything(plan, root, devices, scratch.sources);
      !result.ok()) {
    return result;
  }
  if (const StepResult result = MakeTerminal(plan, scratch, root); !result.ok()) {
    return result;
  }
  if (const StepResult result = CoverPaths(plan, scratch, root, devices.null); !result.ok()) {
    return result;
  }
  if (const StepResult result = CheckTree(plan, scratch, root); !result.ok()) {
    return result;
  }
  CloseAll(devices, scratch);
  if (const StepResult result = PivotInto(root); !result.ok()) {
    return result;
  }
  (void)::close(root);
  return kDone;
}

}  // namespace cordon
