#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/unique_fd.h"
#include "tracer/kernel.h"
#include "tracer/ptrace_session.h"

namespace cordon {

/// The workload's first task, stopped before execve(2).
class LaunchedTask {
 public:
  LaunchedTask(pid_t task, TraceTier tier, UniqueFd report)
      : task_(task), tier_(tier), report_(std::move(report)) {}

  pid_t task() const { return task_; }

  /// The tier that can be had: kExact when the filter could not be installed.
  TraceTier tier() const { return tier_; }

  /// Why execve(2) failed, once the task has ended; nothing when it did not. Does not block.
  std::optional<int> ExecuteError() const;

 private:
  pid_t task_;
  TraceTier tier_;
  UniqueFd report_;
};

/// What execvp(3) would run for `command`, looked up in PATH when it has no '/'. Fails with the
/// errno that execvp would give (ENOENT, EACCES).
Expected<std::string> FindExecutable(const std::string& command);

/// What to start.
struct TracedCommand {
  std::string executable;              ///< the file
  std::vector<std::string> arguments;  ///< with argv[0]
  TraceTier tier = TraceTier::kExact;
  StubWindow window = {};                        ///< kFast
  std::vector<std::string> environment = {};     ///< "NAME=VALUE", over cordon's own
  std::optional<int> inherited_descriptor = {};  ///< of cordon's, to be kept open over execve(2)
};

/// Forks a child that will execute the request, seizes it and lets it come to a stop right before
/// execve(2), with the trace filter installed but for kExact. The child keeps cordon's terminal,
/// process group, signal dispositions and mask as they are at the time of the call. The caller must
/// be single-threaded.
Expected<LaunchedTask> Launch(TraceKernel& kernel, const TracedCommand& request);

}  // namespace cordon
