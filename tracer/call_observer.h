#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

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

/// What making a call again would tell.
struct Repetition {
  /// Nothing: a call of the same program, in the same phase, whose parts (CallShape) are the same
  /// would be taken down as this one was.
  bool silent = false;
  /// What the descriptors among the parts are, in their order: equal numbers are files, pipes or
  /// sockets that the observer does not tell apart; never 0 when `silent`.
  std::array<std::uint32_t, 2> identities{};
  std::int64_t result = 0;  ///< of a call with a path: 0, -errno, or the identity of what it opened
  std::uint32_t opened = 0;     ///< identity of the descriptor that the call gave out; 0: none
  std::uint32_t opened_as = 0;  ///< its number
};

/// CLONE_* of clone(2) that the tracer must know; here because <sched.h> lacks some with older C
/// libraries.
inline constexpr std::uint64_t kCloneVm = 0x100;
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

  /// A descriptor that the next call of `task` is about: what was said of that number before holds
  /// only when it was given this identity, not 0.
  virtual void OnDescriptor(pid_t, int, std::uint32_t) {}

  /// The descriptors of `task` of which something was said, by number, with what each is: as
  /// Repetition::identities; 0: not known.
  virtual std::vector<std::pair<int, std::uint32_t>> DescriptorsOf(pid_t) { return {}; }

  /// Of the call whose entry was answered with kNotWanted just now, or whose exit was told just
  /// now.
  virtual Repetition RepetitionOf(pid_t) { return {}; }

  /// Does the call whose entry was told just now open a file that says where a task may run
  /// (/proc/PID/status)?
  virtual bool OpensProcessStatus(pid_t) { return false; }

  /// `task` is followed from the call on that it is about to make: the workload's first, or one
  /// that came to it from outside.
  virtual void OnBegin(pid_t) {}

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
