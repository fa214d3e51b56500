#include "tracer/stop_event.h"

#include <csignal>

namespace cordon {
namespace {

StopEvent ClassifyEvent(int event, int signal) {
  switch (event) {
    case kEventFork:
    case kEventVfork:
    case kEventClone:
      return NewTaskStop{};
    case kEventExec:
      return ExecStop{};
    case kEventExit:
      return ExitingStop{};
    case kEventSeccomp:
      return SeccompStop{};
    case kEventStop:
      // SIGTRAP: not a group-stop (ptrace(2), "Group-stop").
      return signal == SIGTRAP ? StopEvent(TrapStop{}) : StopEvent(GroupStop{signal});
    default:
      return OtherStop{};
  }
}

}  // namespace

StopEvent ClassifyStop(const WaitStatus& status) {
  if (status.kind() != WaitStatus::Kind::kStopped) {
    return TaskEnd{status.outcome()};
  }
  if (status.event() != 0) {
    return ClassifyEvent(status.event(), status.value());
  }
  if (status.is_syscall_stop()) {
    return SyscallStop{};
  }
  return SignalStop{status.value()};
}

}  // namespace cordon
