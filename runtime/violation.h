#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "model/seccomp_policy.h"
#include "model/syscall.h"
#include "runtime/launch_request.h"

namespace cordon {

/// One call outside the policy, as the supervisor saw it.
struct Violation {
  SyscallInvocation invocation;
  pid_t thread = 0;           ///< as the host numbers it
  std::string executable;     ///< /proc/PID/exe; empty when it could not be read
  std::string command;        ///< /proc/PID/comm
  std::string call;           ///< the call with decoded arguments: "socket(AF_INET, SOCK_RAW, 1)"
  SeccompAction answer;       ///< what the policy says
  bool of_the_start = false;  ///< the policy allows it until the workload serves
  Enforcement enforcement = Enforcement::kEnforce;
};

/// One line without a newline, safe on a terminal: call, answer, process, and the rule that would
/// allow it.
std::string Describe(const Violation& violation);

/// The element of seccomp.json's "syscalls" that would allow `invocation` and no more than its
/// recorded scalars say.
std::string AllowingRule(const SyscallInvocation& invocation);

}  // namespace cordon
