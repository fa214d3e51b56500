#include "runtime/oci_sources.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "common/file.h"
#include "common/text.h"
#include "runtime/linux_calls.h"

namespace cordon {
namespace {

using namespace linux_calls;

constexpr unsigned kAtRecursive = 0x8000;  // fcntl.h: AT_RECURSIVE

/// sys/mount.h, which clashes with linux/mount.h: MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE, MS_SHARED.
std::uint64_t PropagationFlag(OciPropagation propagation) {
  switch (propagation) {
    case OciPropagation::kUnbindable:
      return 1UL << 17;
    case OciPropagation::kPrivate:
      return 1UL << 18;
    case OciPropagation::kSlave:
      return 1UL << 19;
    case OciPropagation::kShared:
      return 1UL << 20;
  }
  return 0;
}

int SetAll(int tree, unsigned flags, const mount_attr& attributes) {
  return static_cast<int>(::syscall(SYS_mount_setattr, tree, "", flags | AT_EMPTY_PATH, &attributes,
                                    sizeof attributes));
}

Error MountError(int call_errno, const OciMountStep& step, std::string_view what) {
  return SystemError(call_errno, fmt::format("mount on {}: {} {}", Quote(step.destination), what,
                                             Quote(step.source)));
}

std::string MapText(const std::vector<OciIdMapping>& mappings) {
  std::string text;
  for (const OciIdMapping& mapping : mappings) {
    text += fmt::format("{} {} {}\n", mapping.inside, mapping.outside, mapping.count);
  }
  return text;
}

Status WriteText(const std::string& path, const std::string& text) {
  ASSIGN_OR_RETURN(const UniqueFd file, OpenAt(AT_FDCWD, path, O_WRONLY));
  if (::write(file.get(), text.data(), text.size()) < 0) {
    const int write_errno = errno;
    return Fail(SystemError(write_errno, path));
  }
  return {};
}

/// A user namespace with the maps of a mount, which is all that it is for: the process in it ends
/// at once.
Expected<UniqueFd> MappingNamespace(const OciMountStep& step) {
  clone_args arguments{};
  arguments.flags = CLONE_NEWUSER;
  arguments.exit_signal = SIGCHLD;
  const auto child = static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
  if (child < 0) {
    const int clone_errno = errno;
    return Fail(MountError(clone_errno, step, "making a user namespace for the ids of"));
  }
  if (child == 0) {
    (void)::pause();
    ::_exit(0);
  }
  const std::string folder = fmt::format("/proc/{}", child);
  Status written = WriteText(folder + "/uid_map", MapText(step.uid_mappings));
  if (written) {
    written = WriteText(folder + "/gid_map", MapText(step.gid_mappings));
  }
  Expected<UniqueFd> space = OpenAt(AT_FDCWD, folder + "/ns/user", O_RDONLY);
  (void)::kill(child, SIGKILL);
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (!written) {
    return Fail(written.error());
  }
  return space;
}

Status MapIds(int tree, const OciMountStep& step) {
  ASSIGN_OR_RETURN(const UniqueFd space, MappingNamespace(step));
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_IDMAP;
  attributes.userns_fd = static_cast<std::uint64_t>(space.get());
  if (SetAll(tree, step.idmapped_below ? kAtRecursive : 0, attributes) != 0) {
    const int set_errno = errno;
    return Fail(MountError(set_errno, step, "mapping the ids of"));
  }
  return {};
}

Expected<UniqueFd> OpenBind(const OciMountStep& step) {
  UniqueFd tree(
      OpenTree(AT_FDCWD, step.source.c_str(),
               OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (step.recursive ? kAtRecursive : 0)));
  if (!tree.valid()) {
    const int open_errno = errno;
    return Fail(MountError(open_errno, step, "opening"));
  }
  if (step.idmapped) {
    RETURN_IF_ERROR(MapIds(tree.get(), step));
  }
  mount_attr own{};
  own.attr_set = step.attributes_set;
  own.attr_clr = step.attributes_clear;
  mount_attr below{};
  below.attr_set = step.below_set;
  below.attr_clr = step.below_clear;
  mount_attr mode{};
  // Private unless it says otherwise: what is mounted inside is nothing to the host.
  const OciPropagationMode propagation =
      step.propagation.value_or(OciPropagationMode{OciPropagation::kPrivate, true});
  mode.propagation = PropagationFlag(propagation.propagation);
  if (SetAll(tree.get(), 0, own) != 0 || SetAll(tree.get(), kAtRecursive, below) != 0 ||
      SetAll(tree.get(), propagation.recursive ? kAtRecursive : 0, mode) != 0) {
    const int set_errno = errno;
    return Fail(MountError(set_errno, step, "setting the options of"));
  }
  return tree;
}

Expected<UniqueFd> OpenRoot(const OciContainerPlan& plan) {
  UniqueFd tree(OpenTree(AT_FDCWD, plan.root_path.c_str(),
                         OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | kAtRecursive));
  struct stat status{};
  if (!tree.valid() || ::fstat(tree.get(), &status) != 0) {
    const int open_errno = errno;
    return Fail(SystemError(open_errno, "root.path: " + Quote(plan.root_path)));
  }
  if (!S_ISDIR(status.st_mode)) {
    return Fail(SystemError(ENOTDIR, "root.path: " + Quote(plan.root_path)));
  }
  mount_attr mode{};
  // Shared it becomes once it is the root: pivot_root(2) takes no shared one.
  mode.propagation = PropagationFlag(plan.root_propagation && plan.root_propagation->propagation ==
                                                                  OciPropagation::kSlave
                                         ? OciPropagation::kSlave
                                         : OciPropagation::kPrivate);
  if (SetAll(tree.get(), kAtRecursive, mode) != 0) {
    const int set_errno = errno;
    return Fail(
        SystemError(set_errno, "root.path: setting the propagation of " + Quote(plan.root_path)));
  }
  return tree;
}

Expected<UniqueFd> OpenDevice(const OciDevice& device) {
  UniqueFd tree(OpenTree(AT_FDCWD, device.path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  struct stat status{};
  if (!tree.valid() || ::fstat(tree.get(), &status) != 0) {
    const int open_errno = errno;
    return Fail(SystemError(open_errno, "the device " + Quote(device.path)));
  }
  const mode_t type = device.type == 'c' ? S_IFCHR : device.type == 'b' ? S_IFBLK : S_IFIFO;
  if ((status.st_mode & S_IFMT) != type ||
      (device.type != 'p' && status.st_rdev != makedev(device.major, device.minor))) {
    return Fail(InvalidInput("linux.devices: the host's " + Quote(device.path) +
                             " is another device, and in a user namespace no other can be made"));
  }
  return tree;
}

}  // namespace

Expected<UniqueFd> OpenHostProc() {
  ASSIGN_OR_RETURN(UniqueFd proc, OpenAt(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY));
  struct statfs status{};
  if (::fstatfs(proc.get(), &status) != 0 || status.f_type != PROC_SUPER_MAGIC) {
    return Fail(MakeError(ErrorCode::kUnsupported, "no procfs is mounted on /proc"));
  }
  return proc;
}

Expected<UniqueFd> OpenNamespace(const std::string& path, std::uint64_t flag) {
  ASSIGN_OR_RETURN(UniqueFd space, OpenAt(AT_FDCWD, path, O_RDONLY | O_NOCTTY | O_NONBLOCK));
  const int type = ::ioctl(space.get(), NS_GET_NSTYPE);
  if (type < 0 || static_cast<std::uint64_t>(static_cast<unsigned>(type)) != flag) {
    return Fail(InvalidInput("linux.namespaces: " + Quote(path) +
                             " is not a namespace of the type that is named"));
  }
  return space;
}

namespace {

/// What the plan changes in a namespace that it joins must not be the caller's own, which is the
/// host's.
Status CheckNotOwn(const OciContainerPlan& plan, const OciJoinedNamespace& space, int file) {
  constexpr std::array<std::pair<std::uint64_t, const char*>, 3> kChanged{
      {{CLONE_NEWNET, "net"}, {CLONE_NEWIPC, "ipc"}, {CLONE_NEWUTS, "uts"}}};
  const auto* const kind =
      std::ranges::find(kChanged, space.flag, &std::pair<std::uint64_t, const char*>::first);
  if (kind == kChanged.end()) {
    return {};
  }
  struct stat own{};
  struct stat joined{};
  if (::stat(fmt::format("/proc/self/ns/{}", kind->second).c_str(), &own) != 0 ||
      ::fstat(file, &joined) != 0) {
    const int stat_errno = errno;
    return Fail(SystemError(stat_errno, space.path));
  }
  if (own.st_ino != joined.st_ino || own.st_dev != joined.st_dev) {
    return {};
  }
  const bool names = space.flag == CLONE_NEWUTS && !(plan.hostname + plan.domainname).empty();
  const auto set = std::ranges::find_if(plan.settings, [&](const OciSetting& setting) {
    return NamespaceOfSetting(setting.path) == space.flag;
  });
  if (!names && set == plan.settings.end()) {
    return {};
  }
  return Fail(InvalidInput(
      fmt::format("linux.namespaces: {} is the host's own: {} would be changed there",
                  Quote(space.path), names ? std::string("its name") : Quote(set->path))));
}

}  // namespace

Expected<OciSources> OpenOciSources(const OciContainerPlan& plan) {
  OciSources sources;
  ASSIGN_OR_RETURN(sources.proc, OpenHostProc());
  ASSIGN_OR_RETURN(sources.root, OpenRoot(plan));
  for (const OciMountStep& step : plan.mounts) {
    UniqueFd tree;
    if (step.kind == OciMountKind::kBind) {
      ASSIGN_OR_RETURN(tree, OpenBind(step));
    }
    sources.mounts.push_back(std::move(tree));
  }
  for (const OciDeviceStep& step : plan.devices) {
    UniqueFd tree;
    if (plan.bind_devices) {
      ASSIGN_OR_RETURN(tree, OpenDevice(step.device));
    }
    sources.devices.push_back(std::move(tree));
  }
  for (const OciJoinedNamespace& space : plan.joined) {
    ASSIGN_OR_RETURN(UniqueFd file, OpenNamespace(space.path, space.flag));
    RETURN_IF_ERROR(CheckNotOwn(plan, space, file.get()));
    sources.joined.push_back(std::move(file));
  }
  return sources;
}

}  // namespace cordon
