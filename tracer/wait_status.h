#pragma once

#include <cstdint>

#include "model/outcome.h"

namespace cordon {

/// What waitpid(2) says of a traced task, as a value.
class WaitStatus {
 public:
  enum class Kind : std::uint8_t { kExited, kKilled, kStopped };

  static WaitStatus FromRaw(int raw) { return WaitStatus(raw); }

  static WaitStatus ForExit(int code);
  static WaitStatus ForKill(int signal);
  /// A stop with `signal` and PTRACE_EVENT_* `event` (0: none).
  static WaitStatus ForStop(int signal, int event = 0);
  /// A system call stop (PTRACE_O_TRACESYSGOOD).
  static WaitStatus ForSyscallStop();

  Kind kind() const;
  /// kExited: the exit code; otherwise the signal, without the bit that marks a system call stop.
  int value() const;
  /// PTRACE_EVENT_* of a stop; 0 if none.
  int event() const;
  bool is_syscall_stop() const;
  /// Of a task that ended.
  Outcome outcome() const;

  bool operator==(const WaitStatus&) const = default;

 private:
  explicit WaitStatus(int raw) : raw_(raw) {}

  int raw_;
};

}  // namespace cordon
