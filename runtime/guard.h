#pragma once

#include <cstdint>

namespace cordon {

/// The protections that tests/escape switches off one at a time, in a build of its own, to see each
/// attempt succeed that they stop. A row is added where the code asks for it and in
/// tests/escape/unguarded.cc, which names it.
enum class Guard : std::uint8_t {
  kPathsInRoot,        ///< a path inside the root cannot lead out of it
  kPlainFolders,       ///< /proc, /sys and /dev are mounted on folders, not through links
  kHostNullDevice,     ///< files are masked by the host's /dev/null
  kOwnProc,            ///< labels are written, and paths masked, through the sandbox's own procfs
  kNoDevices,          ///< device nodes of the root and of volumes open nothing
  kReadonlyPaths,      ///< /proc/sys and its like cannot be written
  kNoDescriptors,      ///< nothing of the supervisor's is open inside
  kHolderIsClosed,     ///< the sandbox's first process cannot be traced or read
  kProgramIsReadonly,  ///< cordon's own file cannot be opened for writing through /proc
  kTerminal,           ///< no input is put into the caller's terminal
  kOwnTerminal,        ///< /dev/console is the terminal that was made, not what a path leads to
  kCapabilities,       ///< capability sets are emptied, inheritable first
  kNoNewPrivileges,
  kUserNamespaces,  ///< without a policy, none is made inside
  kControlPeer,     ///< the control socket hears nothing from inside
  kUserNumbers,     ///< --user takes only what is wholly a number for one
  kConfinement,     ///< what was planned is read back before the command is executed
};

#ifdef CORDON_UNGUARDED
/// Async-signal-safe.
bool Holds(Guard guard);
#else
/// In the product every guard holds, and the compiler removes the question.
constexpr bool Holds(Guard /*guard*/) {
  return true;
}
#endif

}  // namespace cordon
