#pragma once

#include <sys/types.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "model/recording.h"
#include "model/syscall.h"
#include "model/syscall_signature.h"

namespace cordon {

/// What a call does with one file if it succeeds.
struct FileUse {
  FileKey key;
  FileAccessSet access;
  std::set<std::uint32_t> ioctls;  ///< where access has kIoctl
  bool is_moved_here = false;      ///< under its new name, in another directory: a recording has
                                   ///< kReparent of a directory on the old name alone
};

/// The program that an execve(2) would run, with its interpreters.
struct ProgramUse {
  std::string executable;
  std::set<std::string> interpreters;
};

struct CalledFiles {
  std::vector<FileUse> uses;
  std::vector<ProgramUse> programs;
  bool unreadable = false;  ///< a path could not be read or resolved
};

/// May a call of this effect do with files what a policy of files can refuse: open, create (also by
/// bind(2)), move, remove, truncate, execute?
bool ConcernsFiles(SyscallEffect effect);

/// What `call` will do with files, each named as the caller's root has it. `thread` waits in the
/// call. Nothing is changed; what the call finds when it goes on may be something else by then
/// (seccomp_unotify(2)), so the answer is for reports, never for a decision to let it go on.
CalledFiles FilesOfCall(const SyscallInvocation& call, pid_t thread);

/// `path` as `thread` would find it, canonical; as it is where it cannot be followed.
std::string CanonicalPathOf(const std::string& path, pid_t thread);

}  // namespace cordon
