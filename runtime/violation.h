#pragma once

#include <sys/types.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/recording.h"
#include "model/sandbox_config.h"
#include "model/seccomp_policy.h"
#include "model/syscall.h"
#include "runtime/called_files.h"
#include "runtime/launch_request.h"
#include "runtime/process_chain.h"

namespace cordon {

/// One call outside the policy, as the supervisor saw it.
struct Violation {
  SyscallInvocation invocation;
  pid_t thread = 0;      ///< as the host numbers it
  SeccompAction answer;  ///< what the policy says; ALLOW where only files are outside it, ERRNO
                         ///< unless in an audit
  Phase phase = Phase::kStart;
  int file_errno = EACCES;    ///< what the call gets where only files are outside the policy
  bool of_the_start = false;  ///< the policy allows it until the workload serves
  Enforcement enforcement = Enforcement::kEnforce;
  std::string executable = {};  ///< /proc/PID/exe; empty for cordon's own process that executes the
                                ///< command, and when it could not be read
  std::string call = {};  ///< the call with decoded arguments: "socket(AF_INET, SOCK_RAW, 0x1)"
  std::vector<ProcessLink> chain = {};  ///< who made it, and whose child that is

  // What an audit finds out besides (CallAuditor).
  ArgumentTuple scalars = {};       ///< of a call that the policy refuses
  std::vector<FileUse> files = {};  ///< of a call that is outside the policy
  std::vector<ProgramUse> programs = {};
  std::optional<SocketKey> socket = {};
  std::vector<LandlockRule> missing = {};  ///< the rules of files that it lacks
  bool unreadable = false;                 ///< something of it could not be read

  /// Is the call itself outside the seccomp policy? A call that is to be logged is.
  bool is_outside_seccomp() const { return answer.kind != SeccompActionKind::kAllow; }

  /// Is it outside the policy, and not only told of because of a socket that was?
  bool is_refusal() const { return is_outside_seccomp() || !missing.empty(); }
};

/// One line without a newline, safe on a terminal: call, answer, process and its parents, and the
/// rule that would allow it.
std::string Describe(const Violation& violation);

/// What the call gets, or in an audit would: "EPERM", "KILL_PROCESS", "LOG".
std::string AnswerText(const Violation& violation);

/// The element of seccomp.json's "syscalls" that would allow `invocation` and no more than its
/// recorded scalars say.
std::string AllowingRule(const SyscallInvocation& invocation);

}  // namespace cordon
