#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "model/outcome.h"
#include "model/syscall.h"

namespace cordon {

/// Whether the observer wants to hear how a call came out.
enum class ExitInterest : std::uint8_t { kNotWanted, kWanted };

/// How a call came out.
struct CallResult {
  std::int64_t value = 0;  ///< of a call that succeeded
  int sys_errno = 0;       ///< positive; 0: it succeeded

  bool ok() const { return sys_errno == 0; }
};

/// CLONE_* of clone(2) that the tracer must know; here because <sched.h> lacks some with older C
/// libraries.
inline constexpr std::uint64_t kCloneFs = 0x200;
inline constexpr std::uint64_t kCloneFiles = 0x400;
inline constexpr std::uint64_t kCloneThread = 0x10000;
inline constexpr std::uint64_t kCloneUntraced = 0x00800000;

/// Told by PtraceSession what the traced tasks do. Each call is made while `task` is stopped, so
/// its memory and /proc/TASK can be read; it may be killed at any moment all the same.
class CallObserver {
 public:
  CallObserver() = default;
  CallObserver(const CallObserver&) = delete;
  CallObserver& operator=(const CallObserver&) = delete;
  virtual ~CallObserver() = default;

  /// `task` is about to make a call. Unless it is killed, OnExit follows if and only if the answer
  /// is kWanted.
  virtual ExitInterest OnEntry(pid_t task, const SyscallInvocation& invocation) = 0;
  /// The call is over. A call that the kernel restarts after a signal ends with ERESTART*
  /// (512..516) and is entered again.
  virtual void OnExit(pid_t task, CallResult result) = 0;
  /// `parent` made `child` with `clone_flags` (those of clone(2); 0 for fork(2)).
  virtual void OnNewTask(pid_t parent, pid_t child, std::uint64_t clone_flags) = 0;
  /// execve(2) succeeded: the new program is in place. `task` was `former` before, and every other
  /// thread of its process is gone.
  virtual void OnExec(pid_t former, pid_t task) = 0;
  /// `task` is about to end.
  virtual void OnExiting(pid_t task) = 0;
  virtual void OnEnd(pid_t task, const Outcome& outcome) = 0;
  /// Something could not be followed.
  virtual void OnLimitation(const std::string& kind, const std::string& detail) = 0;
};

}  // namespace cordon
