#include "tracer/wait_status.h"

#include <sys/wait.h>

#include <csignal>

namespace cordon {
namespace {

constexpr int kSyscallStopBit = 0x80;  // PTRACE_O_TRACESYSGOOD, ptrace(2)
constexpr int kStoppedLowByte = 0x7f;  // W_STOPCODE in <bits/waitstatus.h>

}  // namespace

WaitStatus WaitStatus::ForExit(int code) {
  return WaitStatus((code & 0xff) << 8);
}

WaitStatus WaitStatus::ForKill(int signal) {
  return WaitStatus(signal);
}

WaitStatus WaitStatus::ForStop(int signal, int event) {
  return WaitStatus((event << 16) | (signal << 8) | kStoppedLowByte);
}

WaitStatus WaitStatus::ForSyscallStop() {
  return ForStop(SIGTRAP | kSyscallStopBit);
}

WaitStatus::Kind WaitStatus::kind() const {
  if (WIFSTOPPED(raw_)) {
    return Kind::kStopped;
  }
  return WIFEXITED(raw_) ? Kind::kExited : Kind::kKilled;
}

int WaitStatus::value() const {
  if (WIFSTOPPED(raw_)) {
    return WSTOPSIG(raw_) & ~kSyscallStopBit;
  }
  return WIFEXITED(raw_) ? WEXITSTATUS(raw_) : WTERMSIG(raw_);
}

int WaitStatus::event() const {
  return WIFSTOPPED(raw_) ? (raw_ >> 16) & 0xff : 0;
}

bool WaitStatus::is_syscall_stop() const {
  return WIFSTOPPED(raw_) && WSTOPSIG(raw_) == (SIGTRAP | kSyscallStopBit);
}

Outcome WaitStatus::outcome() const {
  return WIFEXITED(raw_) ? Outcome(Exited{WEXITSTATUS(raw_)}) : Outcome(Signaled{WTERMSIG(raw_)});
}

}  // namespace cordon
