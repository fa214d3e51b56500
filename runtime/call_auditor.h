#pragma once

#include <sys/types.h>

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "runtime/called_files.h"
#include "runtime/file_policy.h"
#include "runtime/violation.h"

namespace cordon {

/// What the filter of an audited sandbox asks about beside its refusals: every call that a policy
/// of files could refuse (none where `with_files` is not wanted), and what tells the addresses of
/// sockets.
enum class FileComparison : std::uint8_t { kWanted, kNotWanted };
std::set<std::string> AuditedCalls(FileComparison files);

/// Looks at a call of an audited workload while it waits, and tells what of it is outside the
/// policy, with all that a recording takes.
class CallAuditor {
 public:
  /// `files`: nothing where the policy has no file part.
  explicit CallAuditor(std::optional<FilePolicy> files) : files_(std::move(files)) {}

  /// Fills in `violation`, whose invocation, thread, answer are there: arguments, files, programs
  /// and the socket. Of a call that the seccomp policy admits only what the file policy lacks, and
  /// what is done with sockets that it does not admit. True where anything is outside the policy.
  bool Look(Violation& violation);

 private:
  void LookAtSocket(const SyscallInvocation& call, Violation& violation);

  std::optional<FilePolicy> files_;
  std::set<std::pair<int, int>> sockets_;  ///< family and type of those outside the policy
};

}  // namespace cordon
