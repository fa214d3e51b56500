#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "model/recording.h"
#include "model/syscall_signature.h"
#include "observe/executable_image.h"
#include "observe/file_name.h"
#include "observe/memory_map.h"
#include "observe/path_resolver.h"
#include "observe/process_status.h"
#include "observe/socket_address.h"

namespace cordon {

/// What is known of an open descriptor, so that repeated use of it costs nothing.
struct Descriptor {
  OpenFile file;
  FileAccessSet noted;             ///< uses that are in the recording already
  std::set<std::uint32_t> ioctls;  ///< likewise
  std::optional<SocketIdentity> socket;
  std::string noted_for;       ///< the program that `noted` and `ioctls` hold for
  std::uint32_t identity = 0;  ///< FileLookup::IdentityOf(); 0: not asked for yet
};

/// The descriptors of a files_struct: shared by tasks made with CLONE_FILES. Entries come and go
/// with the calls that are seen, so an entry stands for the file that its number means now; nothing
/// is said of numbers without one.
struct DescriptorTable {
  std::unordered_map<int, Descriptor> open;
  std::uint64_t highest = 0;  ///< largest number seen, plus one
};

/// Root and working directory: shared by tasks made with CLONE_FS.
struct FileSystemView {
  std::string root = "/";
  std::string working_directory;  ///< canonical; empty: not read yet
  /// Tells apart what the same text can mean: mount namespace and root. Views of forked children
  /// keep their parent's.
  std::uint64_t identity = 0;
};

/// A thread group.
struct Process {
  pid_t id = 0;
  pid_t innermost_pid = 0;
  std::string
      program;  ///< canonical path of what execve(2) was asked for; the script, not its interpreter
  ProcessKey key;  ///< its entry in Recording::processes
  Credentials credentials;
  bool own_user_namespace =
      false;  ///< other than cordon's: its capabilities say nothing about the host's
  std::uint64_t live_tasks = 1;
};

/// Paths that a call names, in the order of its roles.
struct NamedFile {
  std::shared_ptr<const ResolvedPath> path;  ///< nothing when the call names a descriptor
  std::optional<int> descriptor;
  std::string cache_key;  ///< of the walk, where it was remembered
  bool fresh = false;     ///< the walk was made for this call, not remembered
};

/// A call between its entry and its exit.
struct CallFrame {
  SyscallInvocation invocation;  ///< as the registers had it
  SyscallInvocation meant;       ///< what socketcall(2) stands for; the same otherwise
  const SyscallSignature* signature = nullptr;  ///< of `meant`
  SyscallObservation* observation = nullptr;
  ArgumentTuple tuple;
  std::vector<NamedFile> files;
  std::uint64_t open_flags = 0;
  std::optional<SocketAddress> address;
  /// sendmmsg(2): number of a message after the first -> its destination, each destination once.
  std::map<std::uint64_t, SocketAddress> further_addresses;
  std::optional<ExecutableImage> image;
  std::optional<Mapping> mapping;  ///< what mprotect(2) is about to change
  std::int64_t before =
      0;  ///< a value read at the entry that the exit is compared with (a limit, a priority)
  Credentials credentials;  ///< at the entry
  bool unreadable = false;  ///< an argument lies in memory that cannot be read from here
};

struct TaskState {
  pid_t id = 0;
  std::shared_ptr<Process> process;
  std::shared_ptr<DescriptorTable> descriptors;
  std::shared_ptr<FileSystemView> view;
  std::optional<CallFrame> frame;

  const std::string& program() const { return process->program; }
};

/// The value of the argument with `role`; nothing when the call has none.
std::optional<std::uint64_t> ArgumentWithRole(const CallFrame& frame, ArgumentRole role);

/// The descriptor in a register: the kernel looks at 32 bits.
inline int DescriptorNumber(std::uint64_t argument) {
  return static_cast<int>(static_cast<std::uint32_t>(argument));
}

}  // namespace cordon
