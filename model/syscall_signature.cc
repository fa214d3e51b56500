#include "model/syscall_signature.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <vector>

#include "model/architecture_tables.h"

// To add a call: one row below, in the order of names. A call without a row is recorded all the
// same, with its results and without arguments. A row with a new effect needs a rule in tracer/
// (CONTRIBUTING.md).

namespace cordon {
namespace {

using enum ArgumentRole;
using E = SyscallEffect;
using R = ResultKind;

constexpr ScalarArgument Value(std::uint8_t index, std::uint8_t width_bits = 32) {
  return {.index = index, .kind = ScalarKind::kValue, .width_bits = width_bits};
}

constexpr ScalarArgument Flags(std::uint8_t index, std::uint8_t width_bits = 32) {
  return {.index = index, .kind = ScalarKind::kFlags, .width_bits = width_bits};
}

constexpr ScalarArgument Member(std::uint8_t index, std::string_view name, std::uint8_t offset,
                                std::uint8_t width_bits) {
  return {.index = index,
          .kind = ScalarKind::kFlags,
          .width_bits = width_bits,
          .member = name,
          .member_offset = offset};
}

// clone(2): the kernel takes lower_32_bits() of the register; the low byte is the exit signal.
constexpr ScalarArgument kCloneScalars[] = {Flags(0)};
constexpr ScalarArgument kCloneBackwardsScalars[] = {
    Flags(1)};  // s390x has the stack first (clone(2), C library/kernel differences)
constexpr ScalarArgument kClone3Scalars[] = {Member(0, "flags", 0, 64)};
constexpr ScalarArgument kFirstValue[] = {Value(0)};
constexpr ScalarArgument kFirstLongValue[] = {Value(0, 64)};
constexpr ScalarArgument kSecondValue[] = {Value(1)};
constexpr ScalarArgument kThirdValue[] = {Value(2)};
constexpr ScalarArgument kFirstFlags[] = {Flags(0)};
constexpr ScalarArgument kFirstLongFlags[] = {Flags(0, 64)};
constexpr ScalarArgument kSecondFlags[] = {Flags(1)};
constexpr ScalarArgument kThirdFlags[] = {Flags(2)};
constexpr ScalarArgument kMountScalars[] = {Flags(3, 64)};
constexpr ScalarArgument kMapScalars[] = {Flags(2, 64), Flags(3, 64)};
// i386's mmap takes a struct of six 32-bit words: addr, len, prot, flags, fd, offset
// (arch/x86/kernel/sys_ia32.c).
constexpr ScalarArgument kOldMapScalars[] = {Member(0, "prot", 8, 32), Member(0, "flags", 12, 32)};
constexpr ScalarArgument kProtectScalars[] = {Flags(2, 64)};
constexpr ScalarArgument kOpenHowScalars[] = {Member(2, "flags", 0, 64),
                                              Member(2, "resolve", 16, 64)};
constexpr ScalarArgument kOptionScalars[] = {Value(1), Value(2)};
constexpr ScalarArgument kSocketScalars[] = {Value(0), Value(1), Value(2)};
constexpr ScalarArgument kSeccompScalars[] = {Value(0), Flags(1)};

constexpr ScalarArgument kTwoFlags[] = {Flags(0), Flags(1)};
// mount_setattr(2): struct mount_attr.
constexpr ScalarArgument kMountAttributeScalars[] = {
    Member(3, "attr_set", 0, 64), Member(3, "attr_clr", 8, 64), Member(3, "propagation", 16, 64)};
// bpf(2): union bpf_attr begins with the type of a map or a program for these two commands.
constexpr std::uint64_t kBpfWithType = (1ULL << 0) | (1ULL << 5);  // BPF_MAP_CREATE, BPF_PROG_LOAD
constexpr ScalarArgument kBpfScalars[] = {Value(0),
                                          {.index = 1,
                                           .kind = ScalarKind::kValue,
                                           .width_bits = 32,
                                           .member = "type",
                                           .member_offset = 0,
                                           .only_for = kBpfWithType}};
// prctl(2): options of linux/prctl.h whose second argument is a number and no address.
constexpr std::uint64_t kPrctlWithNumber =
    (1ULL << 1) | (1ULL << 4) | (1ULL << 6) | (1ULL << 8) | (1ULL << 10) | (1ULL << 14) |
    (1ULL << 22) | (1ULL << 23) | (1ULL << 24) | (1ULL << 26) | (1ULL << 28) | (1ULL << 29) |
    (1ULL << 33) | (1ULL << 35) | (1ULL << 36) | (1ULL << 38) | (1ULL << 41) | (1ULL << 47) |
    (1ULL << 52) | (1ULL << 53) | (1ULL << 57) | (1ULL << 59) | (1ULL << 62);
constexpr ScalarArgument kPrctlScalars[] = {Value(0),
                                            {.index = 1,
                                             .kind = ScalarKind::kValue,
                                             .width_bits = 64,
                                             .member = {},
                                             .member_offset = 0,
                                             .only_for = kPrctlWithNumber}};

constexpr PathFlags kInotifyPaths[] = {{.index = 2, .keep = 0x02000000}};    // IN_DONT_FOLLOW
constexpr PathFlags kFanotifyPaths[] = {{.index = 1, .keep = 0x4}};          // FAN_MARK_DONT_FOLLOW
constexpr PathFlags kUnmountPaths[] = {{.index = 1, .keep = 0x8}};           // UMOUNT_NOFOLLOW
constexpr PathFlags kPickPaths[] = {{.index = 2, .keep = 0x2, .empty = 8}};  // FSPICK_*
// MOVE_MOUNT_F_SYMLINKS, _F_EMPTY_PATH, _T_SYMLINKS, _T_EMPTY_PATH
constexpr PathFlags kMovePaths[] = {{.index = 4, .follow = 0x1, .empty = 0x4},
                                    {.index = 4, .follow = 0x10, .empty = 0x40}};
constexpr PathFlags kReadLinkPaths[] = {{.empty = PathFlags::kAlways}};  // readlinkat(2)

constexpr std::string_view kAdmin = "CAP_SYS_ADMIN";

constexpr SyscallSignature kRows[] = {
    {"accept", E::kAccept, {kFd}, R::kDescriptor},
    {"accept4", E::kAccept, {kFd}, R::kDescriptor},
    {"access", E::kTestAccess, {kPath, kAccessMode}},
    {"acct", E::kNone, {kPath}, R::kStatus, {}, "CAP_SYS_PACCT"},
    {"arch_prctl", E::kNone, {}, R::kStatus, kFirstValue},
    {"bind", E::kBind, {kFd, kSocketAddress}},
    {"bpf", E::kNone, {}, R::kDescriptor, kBpfScalars, "CAP_BPF"},
    {"capset", E::kCredentials},
    {"chdir", E::kChangeDirectory, {kPath}},
    {"chmod", E::kSetattr, {kPath, kFileMode}},
    {"chown", E::kOwner, {kPath}},
    {"chown32", E::kOwner, {kPath}},
    {"chroot", E::kChangeRoot, {kPath}, R::kStatus, {}, "CAP_SYS_CHROOT"},
    {"clock_settime", E::kNone, {}, R::kStatus, {}, "CAP_SYS_TIME"},
    {"clock_settime64", E::kNone, {}, R::kStatus, {}, "CAP_SYS_TIME"},
    {"clone", E::kClone, {}, R::kStatus, kCloneScalars},
    {"clone3", E::kClone, {}, R::kStatus, kClone3Scalars},
    {"close", E::kClose, {kFd}},
    {"close_range", E::kClose},
    {"connect", E::kConnect, {kFd, kSocketAddress}},
    {"copy_file_range", E::kNone, {kReadFd, kOther, kWriteFd}},
    {"creat", E::kOpen, {kPath, kFileMode}, R::kDescriptor},
    {"delete_module", E::kNone, {}, R::kStatus, {}, "CAP_SYS_MODULE"},
    {"dup", E::kDuplicate, {kFd}, R::kDescriptor},
    {"dup2", E::kDuplicate, {kFd}, R::kDescriptor},
    {"dup3", E::kDuplicate, {kFd}, R::kDescriptor},
    {"epoll_create", E::kNone, {}, R::kDescriptor},
    {"epoll_create1", E::kNone, {}, R::kDescriptor},
    {"eventfd", E::kNone, {}, R::kDescriptor},
    {"eventfd2", E::kNone, {}, R::kDescriptor},
    {"execve", E::kExecute, {kPath}},
    {"execveat", E::kExecute, {kDirectoryFd, kPath, kOther, kOther, kAtFlags}},
    {"exit", E::kNone, {}, R::kNone},
    {"exit_group", E::kNone, {}, R::kNone},
    {"faccessat", E::kTestAccess, {kDirectoryFd, kPath, kAccessMode}},
    {"faccessat2", E::kTestAccess, {kDirectoryFd, kPath, kAccessMode, kAtFlags}},
    {"fallocate", E::kNone, {kWriteFd}},
    {"fanotify_init", E::kNone, {}, R::kDescriptor, kTwoFlags, kAdmin},
    {"fanotify_mark",
     E::kWatch,
     {kFd, kOther, kOther, kDirectoryFd, kPath},
     R::kStatus,
     kSecondFlags,
     {},
     kFanotifyPaths},
    {"fchdir", E::kChangeDirectory, {kFd}},
    {"fchmod", E::kSetattr, {kFd, kFileMode}},
    {"fchmodat", E::kSetattr, {kDirectoryFd, kPath, kFileMode}},
    {"fchmodat2", E::kSetattr, {kDirectoryFd, kPath, kFileMode, kAtFlags}},
    {"fchown", E::kOwner, {kFd}},
    {"fchown32", E::kOwner, {kFd}},
    {"fchownat", E::kOwner, {kDirectoryFd, kPath, kOther, kOther, kAtFlags}},
    {"fcntl", E::kDescriptorControl, {kFd}, R::kStatus, kSecondValue},
    {"fcntl64", E::kDescriptorControl, {kFd}, R::kStatus, kSecondValue},
    {"fgetxattr", E::kGetattr, {kFd}},
    {"file_getattr", E::kGetattr, {kDirectoryFd, kPath, kOther, kOther, kAtFlags}},
    {"file_setattr", E::kSetattr, {kDirectoryFd, kPath, kOther, kOther, kAtFlags}},
    {"finit_module", E::kNone, {kReadFd}, R::kStatus, {}, "CAP_SYS_MODULE"},
    {"flistxattr", E::kGetattr, {kFd}},
    {"flock", E::kLock, {kFd}},
    {"fork", E::kClone},
    {"fremovexattr", E::kSetattr, {kFd}},
    {"fsetxattr", E::kSetattr, {kFd}},
    {"fsmount", E::kNone, {}, R::kDescriptor, {}, kAdmin},
    {"fsopen", E::kNone, {}, R::kDescriptor, {}, kAdmin},
    {"fspick", E::kNone, {kDirectoryFd, kPath}, R::kDescriptor, {}, kAdmin, kPickPaths},
    {"fstat", E::kGetattr, {kFd}},
    {"fstat64", E::kGetattr, {kFd}},
    {"fstatat64", E::kGetattr, {kDirectoryFd, kPath, kOther, kAtFlags}},
    {"fstatfs", E::kNone, {kFd}},
    {"fstatfs64", E::kNone, {kFd}},
    {"ftruncate", E::kTruncate, {kFd}},
    {"ftruncate64", E::kTruncate, {kFd}},
    {"futimesat", E::kSetattr, {kDirectoryFd, kPath}},
    {"getdents", E::kListDirectory, {kFd}},
    {"getdents64", E::kListDirectory, {kFd}},
    {"getxattr", E::kGetattr, {kPath}},
    {"getxattrat", E::kGetattr, {kDirectoryFd, kPath, kAtFlags}},
    {"init_module", E::kNone, {}, R::kStatus, {}, "CAP_SYS_MODULE"},
    {"inotify_add_watch", E::kWatch, {kOther, kPath}, R::kStatus, {}, {}, kInotifyPaths},
    {"inotify_init", E::kNone, {}, R::kDescriptor},
    {"inotify_init1", E::kNone, {}, R::kDescriptor},
    {"io_setup"},
    {"io_uring_setup", E::kIoUring, {}, R::kDescriptor},
    {"ioctl", E::kIoctl, {kFd}, R::kStatus, kSecondValue},
    {"ioperm", E::kNone, {}, R::kStatus, {}, "CAP_SYS_RAWIO"},
    {"iopl", E::kNone, {}, R::kStatus, {}, "CAP_SYS_RAWIO"},
    {"ioprio_set", E::kPriority},
    {"ipc", E::kNone, {}, R::kStatus, kFirstValue},
    {"kexec_file_load", E::kNone, {}, R::kStatus, {}, "CAP_SYS_BOOT"},
    {"kexec_load", E::kNone, {}, R::kStatus, {}, "CAP_SYS_BOOT"},
    {"keyctl", E::kNone, {}, R::kStatus, kFirstValue},
    {"kill", E::kKill, {kProcess, kSignal}, R::kStatus, kSecondValue},
    {"landlock_create_ruleset", E::kNone, {}, R::kDescriptor},
    {"lchown", E::kOwner, {kPathNoFollow}},
    {"lchown32", E::kOwner, {kPathNoFollow}},
    {"lgetxattr", E::kGetattr, {kPathNoFollow}},
    {"link", E::kLink, {kPathNoFollow, kPathNoFollow}},
    {"linkat", E::kLink, {kDirectoryFd, kPathNoFollow, kDirectoryFd, kPathNoFollow, kAtFlags}},
    {"listen", E::kListen, {kFd}},
    {"listxattr", E::kGetattr, {kPath}},
    {"listxattrat", E::kGetattr, {kDirectoryFd, kPath, kAtFlags}},
    {"llistxattr", E::kGetattr, {kPathNoFollow}},
    {"lremovexattr", E::kSetattr, {kPathNoFollow}},
    {"lsetxattr", E::kSetattr, {kPathNoFollow}},
    {"lstat", E::kGetattr, {kPathNoFollow}},
    {"lstat64", E::kGetattr, {kPathNoFollow}},
    {"madvise", E::kNone, {}, R::kStatus, kThirdValue},
    {"memfd_create", E::kNone, {}, R::kDescriptor, kSecondFlags},
    {"memfd_secret", E::kNone, {}, R::kDescriptor},
    {"mkdir", E::kMakeDirectory, {kPathNoFollow, kFileMode}},
    {"mkdirat", E::kMakeDirectory, {kDirectoryFd, kPathNoFollow, kFileMode}},
    {"mknod", E::kMakeNode, {kPathNoFollow, kFileMode}},
    {"mknodat", E::kMakeNode, {kDirectoryFd, kPathNoFollow, kFileMode}},
    {"mmap", E::kMap, {kOther, kOther, kProtection, kMapFlags, kFd}, R::kStatus, kMapScalars},
    {"mmap2", E::kMap, {kOther, kOther, kProtection, kMapFlags, kFd}, R::kStatus, kMapScalars},
    {"mount", E::kMount, {kText, kPath}, R::kStatus, kMountScalars, kAdmin},
    {"mount_setattr",
     E::kMount,
     {kDirectoryFd, kPath, kAtFlags},
     R::kStatus,
     kMountAttributeScalars,
     kAdmin},
    {"move_mount",
     E::kMount,
     {kDirectoryFd, kPathNoFollow, kDirectoryFd, kPathNoFollow},
     R::kStatus,
     {},
     kAdmin,
     kMovePaths},
    {"mprotect", E::kProtect, {kOther, kOther, kProtection}, R::kStatus, kProtectScalars},
    {"mq_open", E::kNone, {}, R::kDescriptor},
    {"name_to_handle_at", E::kNone, {kDirectoryFd, kPathNoFollow, kOther, kOther, kAtFlags}},
    {"newfstatat", E::kGetattr, {kDirectoryFd, kPath, kOther, kAtFlags}},
    {"nice", E::kPriority},
    {"oldfstat", E::kGetattr, {kFd}},
    {"oldlstat", E::kGetattr, {kPathNoFollow}},
    {"oldstat", E::kGetattr, {kPath}},
    {"open", E::kOpen, {kPath, kOpenFlags, kFileMode}, R::kDescriptor},
    {"open_by_handle_at",
     E::kOpen,
     {kOther, kOther, kOpenFlags},
     R::kDescriptor,
     {},
     "CAP_DAC_READ_SEARCH"},
    {"open_tree", E::kOpen, {kDirectoryFd, kPath, kAtFlags}, R::kDescriptor},
    {"open_tree_attr", E::kOpen, {kDirectoryFd, kPath, kAtFlags}, R::kDescriptor},
    {"openat", E::kOpen, {kDirectoryFd, kPath, kOpenFlags, kFileMode}, R::kDescriptor},
    {"openat2", E::kOpen, {kDirectoryFd, kPath, kOpenHow}, R::kDescriptor, kOpenHowScalars},
    {"perf_event_open", E::kNone, {}, R::kDescriptor, {}, "CAP_PERFMON"},
    {"personality", E::kNone, {}, R::kStatus, kFirstValue},
    {"pidfd_getfd", E::kNone, {}, R::kDescriptor},
    {"pidfd_open", E::kNone, {}, R::kDescriptor},
    {"pidfd_send_signal", E::kNone, {kOther, kSignal}, R::kStatus, kSecondValue},
    {"pipe", E::kPipe},
    {"pipe2", E::kPipe, {}, R::kStatus, kSecondFlags},
    {"pivot_root", E::kMount, {kPath, kPath}, R::kStatus, {}, kAdmin},
    {"pkey_mprotect", E::kProtect, {kOther, kOther, kProtection}, R::kStatus, kProtectScalars},
    {"prctl", E::kPrctl, {}, R::kStatus, kPrctlScalars},
    {"pread64", E::kNone, {kReadFd}},
    {"preadv", E::kNone, {kReadFd}},
    {"preadv2", E::kNone, {kReadFd}},
    {"prlimit64", E::kLimit, {kProcess}, R::kStatus, kSecondValue},
    {"ptrace", E::kTrace, {}, R::kStatus, kFirstLongValue},
    {"pwrite64", E::kNone, {kWriteFd}},
    {"pwritev", E::kNone, {kWriteFd}},
    {"pwritev2", E::kNone, {kWriteFd}},
    {"quotactl", E::kNone, {kOther, kPath}, R::kStatus, kFirstValue},
    {"read", E::kNone, {kReadFd}},
    {"readlink", E::kReadLink, {kPathNoFollow}},
    {"readlinkat", E::kReadLink, {kDirectoryFd, kPathNoFollow}, R::kStatus, {}, {}, kReadLinkPaths},
    {"readv", E::kNone, {kReadFd}},
    {"reboot", E::kNone, {}, R::kStatus, kThirdValue, "CAP_SYS_BOOT"},
    {"recvfrom", E::kNone, {kReadFd}},
    {"recvmmsg", E::kReceiveMessage, {kReadFd, kMessage}},
    {"recvmmsg_time64", E::kReceiveMessage, {kReadFd, kMessage}},
    {"recvmsg", E::kReceiveMessage, {kReadFd, kMessage}},
    {"removexattr", E::kSetattr, {kPath}},
    {"removexattrat", E::kSetattr, {kDirectoryFd, kPath, kAtFlags}},
    {"rename", E::kRename, {kPathNoFollow, kPathNoFollow}},
    {"renameat", E::kRename, {kDirectoryFd, kPathNoFollow, kDirectoryFd, kPathNoFollow}},
    {"renameat2", E::kRename, {kDirectoryFd, kPathNoFollow, kDirectoryFd, kPathNoFollow}},
    {"rmdir", E::kUnlink, {kPathNoFollow}},
    {"rt_sigqueueinfo", E::kKill, {kProcess, kSignal}, R::kStatus, kSecondValue},
    {"rt_sigreturn", E::kNone, {}, R::kNone},
    {"rt_tgsigqueueinfo", E::kKill, {kProcess, kOther, kSignal}, R::kStatus, kThirdValue},
    {"sched_setattr", E::kPriority},
    {"sched_setparam", E::kPriority},
    {"sched_setscheduler", E::kPriority, {}, R::kStatus, kSecondValue},
    {"seccomp", E::kSeccomp, {}, R::kStatus, kSeccompScalars},
    {"sendfile", E::kNone, {kWriteFd, kReadFd}},
    {"sendfile64", E::kNone, {kWriteFd, kReadFd}},
    {"sendmmsg", E::kSendMessage, {kWriteFd, kMessage}},
    {"sendmsg", E::kSendMessage, {kWriteFd, kMessage}},
    {"sendto", E::kSend, {kWriteFd, kOther, kOther, kOther, kSocketAddress}},
    {"setdomainname", E::kNone, {}, R::kStatus, {}, kAdmin},
    {"setfsgid", E::kCredentials},
    {"setfsgid32", E::kCredentials},
    {"setfsuid", E::kCredentials},
    {"setfsuid32", E::kCredentials},
    {"setgid", E::kCredentials},
    {"setgid32", E::kCredentials},
    {"setgroups", E::kCredentials},
    {"setgroups32", E::kCredentials},
    {"sethostname", E::kNone, {}, R::kStatus, {}, kAdmin},
    {"setns", E::kSetNamespace, {kFd}, R::kStatus, kSecondFlags, kAdmin},
    {"setpriority", E::kPriority},
    {"setregid", E::kCredentials},
    {"setregid32", E::kCredentials},
    {"setresgid", E::kCredentials},
    {"setresgid32", E::kCredentials},
    {"setresuid", E::kCredentials},
    {"setresuid32", E::kCredentials},
    {"setreuid", E::kCredentials},
    {"setreuid32", E::kCredentials},
    {"setrlimit", E::kLimit, {}, R::kStatus, kFirstValue},
    {"setsockopt", E::kNone, {kFd}, R::kStatus, kOptionScalars},
    {"settimeofday", E::kNone, {}, R::kStatus, {}, "CAP_SYS_TIME"},
    {"setuid", E::kCredentials},
    {"setuid32", E::kCredentials},
    {"setxattr", E::kSetattr, {kPath}},
    {"setxattrat", E::kSetattr, {kDirectoryFd, kPath, kAtFlags}},
    {"signalfd", E::kNone, {}, R::kDescriptor},
    {"signalfd4", E::kNone, {}, R::kDescriptor},
    {"sigreturn", E::kNone, {}, R::kNone},
    {"socket", E::kSocket, {}, R::kDescriptor, kSocketScalars},
    {"socketcall", E::kSocketCall, {}, R::kStatus, kFirstValue},
    {"socketpair", E::kSocketPair, {}, R::kStatus, kSocketScalars},
    {"splice", E::kNone, {kReadFd, kOther, kWriteFd}},
    {"stat", E::kGetattr, {kPath}},
    {"stat64", E::kGetattr, {kPath}},
    {"statfs", E::kNone, {kPath}},
    {"statfs64", E::kNone, {kPath}},
    {"statx", E::kGetattr, {kDirectoryFd, kPath, kAtFlags}},
    {"stime", E::kNone, {}, R::kStatus, {}, "CAP_SYS_TIME"},
    {"swapoff", E::kNone, {kPath}, R::kStatus, {}, kAdmin},
    {"swapon", E::kNone, {kPath}, R::kStatus, {}, kAdmin},
    {"symlink", E::kSymlink, {kText, kPathNoFollow}},
    {"symlinkat", E::kSymlink, {kText, kDirectoryFd, kPathNoFollow}},
    {"syslog", E::kNone, {}, R::kStatus, kFirstValue, "CAP_SYSLOG"},
    {"tee", E::kNone, {kReadFd, kWriteFd}},
    {"tgkill", E::kKill, {kProcess, kOther, kSignal}, R::kStatus, kThirdValue},
    {"timerfd_create", E::kNone, {}, R::kDescriptor},
    {"tkill", E::kKill, {kProcess, kSignal}, R::kStatus, kSecondValue},
    {"truncate", E::kTruncate, {kPath}},
    {"truncate64", E::kTruncate, {kPath}},
    {"umount", E::kUnmount, {kPath}, R::kStatus, {}, kAdmin},
    {"umount2", E::kUnmount, {kPath}, R::kStatus, kSecondFlags, kAdmin, kUnmountPaths},
    {"unlink", E::kUnlink, {kPathNoFollow}},
    {"unlinkat", E::kUnlink, {kDirectoryFd, kPathNoFollow, kAtFlags}},
    {"unshare", E::kUnshare, {}, R::kStatus, kFirstLongFlags},
    {"uselib", E::kNone, {kPath}},
    {"userfaultfd", E::kNone, {}, R::kDescriptor, kFirstFlags},
    {"utime", E::kSetattr, {kPath}},
    {"utimensat", E::kSetattr, {kDirectoryFd, kPath, kOther, kAtFlags}},
    {"utimensat_time64", E::kSetattr, {kDirectoryFd, kPath, kOther, kAtFlags}},
    {"utimes", E::kSetattr, {kPath}},
    {"vfork", E::kClone},
    {"vhangup", E::kNone, {}, R::kStatus, {}, "CAP_SYS_TTY_CONFIG"},
    {"vmsplice", E::kNone, {kFd}},
    {"wait4", E::kNone, {}, R::kStatus, kThirdFlags},
    {"write", E::kNone, {kWriteFd}},
    {"writev", E::kNone, {kWriteFd}},
};

/// Rows that hold for one ABI instead of the one above.
struct AbiRow {
  Architecture arch;
  SyscallSignature row;
};

constexpr AbiRow kAbiRows[] = {
    {Architecture::kX86, {"mmap", E::kMap, {}, R::kStatus, kOldMapScalars}},
    // The 64-bit mask takes two registers (fs/notify/fanotify/fanotify_user.c, SYSCALL32_DEFINE6).
    {Architecture::kX86,
     {"fanotify_mark",
      E::kWatch,
      {kFd, kOther, kOther, kOther, kDirectoryFd, kPath},
      R::kStatus,
      {},
      {},
      kFanotifyPaths}},
    {Architecture::kArm,
     {"fanotify_mark",
      E::kWatch,
      {kFd, kOther, kOther, kOther, kDirectoryFd, kPath},
      R::kStatus,
      {},
      {},
      kFanotifyPaths}},
    {Architecture::kS390x, {"clone", E::kClone, {}, R::kStatus, kCloneBackwardsScalars}},
};

const SyscallSignature& Unlisted() {
  static const SyscallSignature row{};
  return row;
}

/// number -> row, for one ABI.
struct RowsByNumber {
  std::vector<const SyscallSignature*> low;              ///< by number, as far as kLow
  std::map<std::int32_t, const SyscallSignature*> high;  ///< the few calls of Arm's own
  /// Rows, by name, that hold nothing else: of calls that have none.
  std::map<std::string_view, SyscallSignature> bare;
};

constexpr std::int32_t kLow = 1024;  // no ABI has others before Arm's own, from 0xf0001

RowsByNumber IndexRows(Architecture arch) {
  RowsByNumber rows;
  for (const auto& [number, name] : SyscallsOf(arch)) {
    const SyscallSignature& listed = SignatureOf(arch, name);
    const SyscallSignature* const row =
        listed.name.empty()
            ? &rows.bare.try_emplace(name, SyscallSignature{.name = name}).first->second
            : &listed;
    if (number >= kLow) {
      rows.high.emplace(number, row);
      continue;
    }
    const auto slot = static_cast<std::size_t>(number);
    rows.low.resize(std::max(rows.low.size(), slot + 1), nullptr);
    rows.low[slot] = row;
  }
  return rows;
}

}  // namespace

const SyscallSignature& SignatureOf(Architecture arch, std::string_view name) {
  const auto* special = std::ranges::find_if(
      kAbiRows, [&](const AbiRow& abi) { return abi.arch == arch && abi.row.name == name; });
  if (special != std::end(kAbiRows)) {
    return special->row;
  }
  const auto* row = std::ranges::lower_bound(kRows, name, {}, &SyscallSignature::name);
  return row != std::end(kRows) && row->name == name ? *row : Unlisted();
}

const SyscallSignature& SignatureOf(Syscall call) {
  static ArchitectureTables<RowsByNumber> tables;
  const RowsByNumber& rows = tables.For(call.arch, IndexRows);
  if (call.number >= kLow) {
    const auto found = rows.high.find(call.number);
    return found != rows.high.end() ? *found->second : Unlisted();
  }
  const auto slot = static_cast<std::size_t>(call.number);
  return call.number >= 0 && slot < rows.low.size() && rows.low[slot] != nullptr ? *rows.low[slot]
                                                                                 : Unlisted();
}

std::span<const ScalarArgument> RecordedScalars(Architecture arch, std::string_view name) {
  return SignatureOf(arch, name).scalars;
}

std::span<const SyscallSignature> AllSignatures() {
  return kRows;
}

}  // namespace cordon
