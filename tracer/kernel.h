#pragma once

#include <sched.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "common/error.h"
#include "observe/process_status.h"
#include "tracer/task_registers.h"
#include "tracer/wait_status.h"

namespace cordon {

/// What waiting for traced tasks gave.
struct WaitResult {
  enum class Kind : std::uint8_t {
    kReport,       ///< `task` reported `status`
    kInterrupted,  ///< a signal to cordon came first
    kNoTasks,      ///< there is nothing to wait for
  };

  Kind kind = Kind::kNoTasks;
  pid_t task = 0;
  WaitStatus status = WaitStatus::ForExit(0);
};

enum class ResumeMode : std::uint8_t {
  kRun,      ///< to the next event or signal (PTRACE_CONT)
  kSyscall,  ///< also to the next entry or exit of a call (PTRACE_SYSCALL)
  kListen,   ///< stay in group-stop and report what ends it (PTRACE_LISTEN)
};

/// Where in a call a task is stopped.
enum class CallStage : std::uint8_t { kNone, kEntry, kExit, kSeccomp };

/// PTRACE_GET_SYSCALL_INFO (Linux 5.3).
struct CallStop {
  CallStage stage = CallStage::kNone;
  std::uint32_t audit_arch = 0;           ///< AUDIT_ARCH_* of this call, whatever the process is
  std::uint64_t number = 0;               ///< kEntry, kSeccomp
  std::uint64_t instruction_pointer = 0;  ///< behind the instruction that makes the call
  std::array<std::uint64_t, 6> arguments{};
  std::int64_t result = 0;        ///< kExit: the value, or -errno
  bool is_error = false;          ///< kExit
  std::uint16_t filter_data = 0;  ///< kSeccomp: SECCOMP_RET_DATA of the filter that asked for it
};

/// What is asked of PTRACE_SEIZE. Everything is followed in either case.
enum class FilterEvents : std::uint8_t {
  kIgnored,   ///< a SECCOMP_RET_TRACE of the workload's own stays ENOSYS
  kReported,  ///< PTRACE_O_TRACESECCOMP
};

/// What becomes of a traced task, and of all that it makes, when cordon itself ends.
enum class Lifetime : std::uint8_t {
  kEndsWithTracer,  ///< killed (PTRACE_O_EXITKILL)
  kOutlivesTracer,  ///< goes on as if it had never been traced
};

/// The kernel's side of tracing, narrow enough to be played by a script in tests. Every call on a
/// task fails with ESRCH (IsGone) when the task is not there or not stopped any more: killing it is
/// possible at any moment, so that is never an error of the tracer.
class TraceKernel {
 public:
  TraceKernel() = default;
  TraceKernel(const TraceKernel&) = delete;
  TraceKernel& operator=(const TraceKernel&) = delete;
  virtual ~TraceKernel() = default;

  /// Blocks until a traced task (or a child of cordon) reports or a signal interrupts.
  virtual WaitResult Wait() = 0;
  /// The same for one task.
  virtual WaitResult WaitFor(pid_t task) = 0;
  virtual Status Seize(pid_t task, FilterEvents events, Lifetime lifetime) = 0;
  /// `signal` is delivered with it; 0: none.
  virtual Status Resume(pid_t task, ResumeMode mode, int signal) = 0;
  /// Lets go of a stopped task (PTRACE_DETACH), which gets `signal`. One in group-stop stays in it.
  virtual Status Detach(pid_t task, int signal) = 0;
  /// Makes a running task stop soon (PTRACE_INTERRUPT); also one that was left in group-stop.
  virtual Status Interrupt(pid_t task) = 0;
  /// PTRACE_GETEVENTMSG.
  virtual Expected<std::uint64_t> EventMessage(pid_t task) = 0;
  virtual Expected<CallStop> ReadCall(pid_t task) = 0;
  /// Replaces the first argument of the call that `task` is about to make. kUnsupported where this
  /// build cannot.
  virtual Status SetFirstArgument(pid_t task, std::uint32_t audit_arch, std::uint64_t value) = 0;
  /// Puts the first argument back that SetFirstArgument() replaced, after the call, in the task
  /// that made it or in the one that it made. Nothing to do where the result lies in the same
  /// register.
  virtual Status RestoreFirstArgument(pid_t task, std::uint32_t audit_arch,
                                      std::uint64_t value) = 0;
  /// Makes the call that `task` is about to make fail with `sys_errno` instead. kUnsupported where
  /// this build cannot.
  virtual Status SkipCall(pid_t task, std::uint32_t audit_arch, int sys_errno) = 0;
  virtual Expected<std::uint64_t> ReadWord(pid_t task, std::uint64_t address) = 0;
  virtual Status WriteWord(pid_t task, std::uint64_t address, std::uint64_t value) = 0;

  /// All general registers of an x86-64 task. kUnsupported for another task or build.
  virtual Expected<TaskRegisters> ReadRegisters(pid_t task);
  virtual Status WriteRegisters(pid_t task, const TaskRegisters& registers);
  /// Writes to memory that the task itself may not write to: private mappings become copies
  /// (/proc/TASK/mem; proc(5)).
  virtual Status WriteCode(pid_t task, std::uint64_t address, std::span<const std::uint8_t> code);

  /// Of a task in a signal-delivery-stop: does the signal come from an instruction of its own, not
  /// from another process (PTRACE_GETSIGINFO)?
  virtual bool IsFault(pid_t task);

  /// The processors that a task may run on (sched_getaffinity(2)); task 0: cordon itself.
  virtual Expected<cpu_set_t> ReadProcessors(pid_t task);
  virtual Status SetProcessors(pid_t task, const cpu_set_t& processors);
  /// The one that cordon runs on; negative: that cannot be told.
  virtual int CurrentProcessor();

  /// /proc/TASK/status.
  virtual Expected<ProcessStatus> ReadStatus(pid_t task) { return ReadProcessStatus(task); }

  /// Is anything traced by cordon, also what was not heard of yet? Looks through all of /proc.
  virtual bool TracesAnything();
};

/// The running kernel.
class LinuxTraceKernel final : public TraceKernel {
 public:
  WaitResult Wait() override;
  WaitResult WaitFor(pid_t task) override;
  Status Seize(pid_t task, FilterEvents events, Lifetime lifetime) override;
  Status Resume(pid_t task, ResumeMode mode, int signal) override;
  Status Detach(pid_t task, int signal) override;
  Status Interrupt(pid_t task) override;
  Expected<std::uint64_t> EventMessage(pid_t task) override;
  Expected<CallStop> ReadCall(pid_t task) override;
  Status SetFirstArgument(pid_t task, std::uint32_t audit_arch, std::uint64_t value) override;
  Status RestoreFirstArgument(pid_t task, std::uint32_t audit_arch, std::uint64_t value) override;
  Status SkipCall(pid_t task, std::uint32_t audit_arch, int sys_errno) override;
  Expected<std::uint64_t> ReadWord(pid_t task, std::uint64_t address) override;
  Status WriteWord(pid_t task, std::uint64_t address, std::uint64_t value) override;
  Expected<TaskRegisters> ReadRegisters(pid_t task) override;
  Status WriteRegisters(pid_t task, const TaskRegisters& registers) override;
  Status WriteCode(pid_t task, std::uint64_t address, std::span<const std::uint8_t> code) override;
  bool IsFault(pid_t task) override;
  Expected<cpu_set_t> ReadProcessors(pid_t task) override;
  Status SetProcessors(pid_t task, const cpu_set_t& processors) override;
  int CurrentProcessor() override;
};

/// Did the task vanish under a call?
bool IsGone(const Error& error);

}  // namespace cordon
