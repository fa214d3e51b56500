#pragma once

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/types.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "runtime/guard.h"

/// System calls that Debian 12's C library does not wrap, or wraps with headers that clash with
/// linux/mount.h. Each is one raw call, async-signal-safe, and returns -1 with errno as libc would.
namespace cordon::linux_calls {

inline int OpenTree(int folder, const char* path, unsigned flags) {
  return static_cast<int>(::syscall(SYS_open_tree, folder, path, flags));
}

inline int MoveMount(int from, int to) {
  return static_cast<int>(::syscall(SYS_move_mount, from, "", to, "",
                                    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

inline int SetMountAttributes(int mount, unsigned flags, std::uint64_t set, std::uint64_t clear) {
  struct mount_attr attributes{};
  attributes.attr_set = set;
  attributes.attr_clr = clear;
  return static_cast<int>(::syscall(SYS_mount_setattr, mount, "", flags | AT_EMPTY_PATH,
                                    &attributes, sizeof attributes));
}

/// Everything mounted in and below `mount` becomes a slave of what it was a peer of
/// (mount_namespaces(7)).
inline int MakeSlave(int mount, unsigned flags) {
  struct mount_attr attributes{};
  attributes.propagation = 1UL << 19;  // sys/mount.h: MS_SLAVE
  return static_cast<int>(::syscall(SYS_mount_setattr, mount, "", flags | AT_EMPTY_PATH,
                                    &attributes, sizeof attributes));
}

inline int MakePrivate(int mount, unsigned flags) {
  struct mount_attr attributes{};
  attributes.propagation = 1UL << 18;  // sys/mount.h: MS_PRIVATE
  return static_cast<int>(::syscall(SYS_mount_setattr, mount, "", flags | AT_EMPTY_PATH,
                                    &attributes, sizeof attributes));
}

/// Ids of the user namespace `user_namespace` are what is on the file system (Linux 5.12). Only for
/// a mount that has never been attached, by who has CAP_SYS_ADMIN over the file system.
inline int MapMountIds(int mount, int user_namespace) {
  struct mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_IDMAP;
  attributes.userns_fd = static_cast<std::uint64_t>(user_namespace);
  return static_cast<int>(
      ::syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &attributes, sizeof attributes));
}

inline int FsOpen(const char* type) {
  return static_cast<int>(::syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
}

inline int FsSetString(int context, const char* key, const char* value) {
  return static_cast<int>(::syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value, 0));
}

inline int FsSetFlag(int context, const char* key) {
  return static_cast<int>(::syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, key, nullptr, 0));
}

inline int FsCreate(int context) {
  return static_cast<int>(
      ::syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0));
}

inline int FsMount(int context, std::uint64_t attributes) {
  return static_cast<int>(::syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes));
}

/// openat2(2): `path` as seen by a process whose root is `root`; symbolic links stay inside, magic
/// links are refused. `resolve`: further RESOLVE_* flags.
inline int OpenInRoot(int root, const char* path, std::uint64_t flags, std::uint64_t resolve = 0) {
  if (!Holds(Guard::kPathsInRoot)) {
    while (*path == '/') {
      ++path;
    }
    return ::openat(root, *path == '\0' ? "." : path, static_cast<int>(flags) | O_CLOEXEC);
  }
  struct open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve;
  // EAGAIN: a rename or mount elsewhere made the kernel unable to tell that ".." stayed inside
  // (openat2(2)).
  int fd = -1;
  for (int attempt = 0; attempt < 100; ++attempt) {
    fd = static_cast<int>(::syscall(SYS_openat2, root, path, &how, sizeof how));
    if (fd >= 0 || errno != EAGAIN) {
      break;
    }
  }
  return fd;
}

inline constexpr int kDetach = 2;  // sys/mount.h: MNT_DETACH

inline int PivotRoot(const char* new_root, const char* old_root) {
  return static_cast<int>(::syscall(SYS_pivot_root, new_root, old_root));
}

}  // namespace cordon::linux_calls
