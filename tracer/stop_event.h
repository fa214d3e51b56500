#pragma once

#include <cstdint>
#include <variant>

#include "tracer/wait_status.h"

namespace cordon {

/// Why a traced task reported (ptrace(2), "Stopped states"). With PTRACE_SEIZE group-stops and
/// signal-delivery-stops cannot be confused.
struct SyscallStop {};  ///< entry or exit of a call: PTRACE_GET_SYSCALL_INFO tells which

struct SeccompStop {};  ///< our filter's SECCOMP_RET_TRACE, before the call

struct NewTaskStop {};  ///< the task made another one, whose id is the event's message

struct ExecStop {
};  ///< execve(2) succeeded; the event's message is the id that the task had before

struct ExitingStop {};  ///< the task is about to end; its memory is still there

struct GroupStop {
  int signal;  ///< SIGSTOP, SIGTSTP, SIGTTIN or SIGTTOU
};

struct SignalStop {
  int signal;  ///< about to be delivered
};

struct TrapStop {};  ///< a new task's first stop, PTRACE_INTERRUPT, or the end of a group-stop

struct OtherStop {};  ///< PTRACE_EVENT_VFORK_DONE and events of later kernels

struct TaskEnd {
  Outcome outcome;
};

using StopEvent = std::variant<SyscallStop, SeccompStop, NewTaskStop, ExecStop, ExitingStop,
                               GroupStop, SignalStop, TrapStop, OtherStop, TaskEnd>;

StopEvent ClassifyStop(const WaitStatus& status);

/// PTRACE_EVENT_* (linux/ptrace.h): part of the kernel's ABI, here so that scripted kernels can
/// make them.
inline constexpr int kEventFork = 1;
inline constexpr int kEventVfork = 2;
inline constexpr int kEventClone = 3;
inline constexpr int kEventExec = 4;
inline constexpr int kEventVforkDone = 5;
inline constexpr int kEventExit = 6;
inline constexpr int kEventSeccomp = 7;
inline constexpr int kEventStop = 128;

}  // namespace cordon
