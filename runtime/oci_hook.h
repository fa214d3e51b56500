#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "model/oci_spec.h"

namespace cordon {

/// One hook of a container, laid out for execve(2). Points into `hook`, which must outlive it.
struct OciHookCall {
  const char* path = nullptr;
  std::vector<const char*> arguments;    ///< ends with nullptr
  std::vector<const char*> environment;  ///< ends with nullptr
  int timeout_ms = -1;                   ///< -1: none

  explicit OciHookCall(const OciHook& hook);
};

std::vector<OciHookCall> OciHookCalls(const std::vector<OciHook>& hooks);

/// What hooks read on stdin: a container's state, in two halves between which its pid goes, as the
/// hook's pid namespace numbers it.
struct OciHookState {
  std::string before_pid;
  std::string after_pid;
};

/// `state`, which WriteOciState() wrote, cut at its pid.
OciHookState SplitOciState(const std::string& state);

/// Runs `hook` to its end, or kills it when its time is over. It gets `state` with `pid` on stdin,
/// nothing on stdout, `errors` on stderr (-1: nothing), and no other descriptor. 0, or a positive
/// errno: ECHILD for an exit status that is not 0, ETIME for one that took too long.
/// Async-signal-safe.
int RunOciHook(const OciHookCall& hook, const OciHookState& state, pid_t pid, int errors);

}  // namespace cordon
