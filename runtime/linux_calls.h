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
/// links are refused.
inline int OpenInRoot(int root, const char* path, std::uint64_t flags) {
  struct open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
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

inline int PivotRoot(const char* new_root, const char* old_root) {
  return static_cast<int>(::syscall(SYS_pivot_root, new_root, old_root));
}

}  // namespace cordon::linux_calls
