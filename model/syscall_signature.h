#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "model/syscall.h"

/// What the arguments and results of system calls mean: one declarative table
/// (syscall_signature.cc) that the recorder's decoder, its choice of exit stops, the argument
/// tuples of a recording and the seccomp generator's conditions derive from. Numbers are not here
/// (policies/syscalls.csv); the table is keyed by name and so holds for every ABI, with the few
/// exceptions it names.
namespace cordon {

/// How the values of a recorded scalar relate, and so how a filter may generalise them.
enum class ScalarKind : std::uint8_t {
  kValue,  ///< an enumeration: distinct values mean distinct things (socket family, ioctl request)
  kFlags,  ///< independent bits: a set of them is safe where each bit is (clone flags, mmap prot)
};

/// One scalar that a recording keeps of a call. The value recorded is what the kernel looks at: the
/// register as it was, masked to `width_bits`; nothing in it is interpreted (socket(2)'s type keeps
/// SOCK_CLOEXEC and SOCK_NONBLOCK), because that is what a filter sees.
struct ScalarArgument {
  std::uint8_t index = 0;  ///< 0..5, the register argument
  ScalarKind kind = ScalarKind::kValue;
  std::uint8_t width_bits =
      32;  ///< what the kernel looks at of the register: 32 or 64; a filter must mask the rest
  /// Empty: the register itself, which a seccomp filter can see. Otherwise the member of the struct
  /// that the register points to
  /// ("flags" of clone3's clone_args), which it can not.
  std::string_view member = {};
  std::uint8_t member_offset = 0;  ///< bytes from the start of that struct
  /// Bit N: it has a meaning where argument 0 is N; elsewhere 0 is recorded. No bit: always.
  std::uint64_t only_for = 0;
};

/// Bits of a flag word that change how a path of the call is looked up, where they are not the AT_*
/// of ArgumentRole::kAtFlags.
struct PathFlags {
  std::uint8_t index = 0;    ///< 0..5, the register argument
  std::uint64_t keep = 0;    ///< the last component is not followed
  std::uint64_t follow = 0;  ///< it is followed
  std::uint64_t empty = 0;   ///< an empty path is the directory descriptor itself; kAlways: it is
                             ///< whatever the flags
  static constexpr std::uint64_t kAlways = ~0ULL;
};

/// What a register argument is.
enum class ArgumentRole : std::uint8_t {
  kOther,          ///< a scalar or pointer that the recorder does not look at
  kFd,             ///< the descriptor that the call is about
  kReadFd,         ///< a descriptor that is read from
  kWriteFd,        ///< a descriptor that is written to
  kDirectoryFd,    ///< base of the next path; AT_FDCWD is the working directory
  kPath,           ///< a path whose last component is followed when it is a symbolic link
  kPathNoFollow,   ///< a path whose last component is not followed
  kText,           ///< a string that is no path the call resolves (the target of symlink(2))
  kAtFlags,        ///< AT_SYMLINK_NOFOLLOW, AT_SYMLINK_FOLLOW, AT_EMPTY_PATH, AT_REMOVEDIR
  kOpenFlags,      ///< O_*
  kOpenHow,        ///< pointer to struct open_how
  kAccessMode,     ///< R_OK, W_OK, X_OK
  kFileMode,       ///< mode_t
  kSocketAddress,  ///< pointer to struct sockaddr; the next argument is its length in bytes
  kMessage,        ///< pointer to struct msghdr, or to the first of several struct mmsghdr
  kProtection,     ///< PROT_*
  kMapFlags,       ///< MAP_*
  kProcess,        ///< a process or thread id
  kSignal,         ///< a signal number
};

/// What a successful call does that a recording keeps beyond the call itself; chooses the
/// recorder's rule.
enum class SyscallEffect : std::uint8_t {
  kNone,
  kOpen,
  kClose,
  kDuplicate,  ///< argument 1, where there is one, is the new number
  kPipe,       ///< argument 0 points to two new descriptors
  kGetattr,
  kSetattr,
  kTestAccess,
  kReadLink,
  kUnlink,
  kRename,
  kLink,
  kSymlink,
  kMakeDirectory,
  kMakeNode,
  kChangeDirectory,
  kChangeRoot,
  kTruncate,
  kListDirectory,
  kExecute,
  kMount,
  kUnmount,
  kWatch,
  kMap,
  kProtect,
  kIoctl,
  kDescriptorControl,  ///< fcntl(2)
  kLock,
  kSocket,
  kSocketPair,
  kBind,
  kConnect,
  kListen,
  kAccept,
  kSend,
  kSendMessage,
  kReceiveMessage,  ///< descriptors may come with it (SCM_RIGHTS)
  kSocketCall,      ///< i386 socketcall(2): the call is argument 0, its arguments are an array at
                    ///< argument 1
  kClone,
  kUnshare,
  kSetNamespace,
  kCredentials,  ///< uids, gids, groups or capabilities of the caller may change
  kOwner,        ///< chown and kin
  kSeccomp,
  kPrctl,
  kLimit,     ///< setrlimit, prlimit
  kPriority,  ///< nice, setpriority, sched_setscheduler …
  kKill,
  kIoUring,  ///< io_uring_setup(2): operations submitted there make no call
  kTrace,    ///< ptrace(2)
};

/// What the call's result is.
enum class ResultKind : std::uint8_t {
  kStatus,      ///< success or an errno
  kDescriptor,  ///< a new descriptor, or an errno
  kNone,        ///< it does not return, or what it returns is no result (exit, rt_sigreturn)
};

struct SyscallSignature {
  std::string_view name;
  SyscallEffect effect = SyscallEffect::kNone;
  std::array<ArgumentRole, 6> roles{};
  ResultKind result = ResultKind::kStatus;
  std::span<const ScalarArgument> scalars{};
  std::string_view
      capability{};  ///< what its success needs whatever its arguments are; empty for most calls
  std::span<const PathFlags> path_flags{};  ///< for its paths, in their order; mostly none
};

/// The row of the call named `name` on `arch`; a row without roles and effect for a call that the
/// table does not list. Stays valid for the life of the program.
const SyscallSignature& SignatureOf(Architecture arch, std::string_view name);

/// The same by number, in constant time; a row with an empty name for a number without a name.
const SyscallSignature& SignatureOf(Syscall call);

/// The scalars recorded of a call named `name` on `arch`, in the order in which argument tuples
/// list them; empty for most calls. Stays valid for the life of the program. Source: the man page
/// of each call.
std::span<const ScalarArgument> RecordedScalars(Architecture arch, std::string_view name);

/// Every row, sorted by name, without the rows of single ABIs: what tests and documentation walk
/// over.
std::span<const SyscallSignature> AllSignatures();

}  // namespace cordon
