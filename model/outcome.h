#pragma once

#include <compare>
#include <string>
#include <variant>

namespace cordon {

/// How a traced or sandboxed program ended: a value, never an Error.
struct Exited {
  int code = 0;  ///< 0..255
  auto operator<=>(const Exited&) const = default;
};

struct Signaled {
  int signal = 0;
  auto operator<=>(const Signaled&) const = default;
};

/// The program could not be executed: execve(2) failed with `sys_errno`.
struct NotExecuted {
  int sys_errno = 0;
  auto operator<=>(const NotExecuted&) const = default;
};

using Outcome = std::variant<Exited, Signaled, NotExecuted>;

/// What a shell would return: the code, 128+N for a signal, 127 for ENOENT, 126 for any other
/// failure to execute.
int ExitStatus(const Outcome& outcome);

/// "exited 1", "killed by SIGKILL", "could not be executed: No such file or directory".
std::string Describe(const Outcome& outcome);

}  // namespace cordon
