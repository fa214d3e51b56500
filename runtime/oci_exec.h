#pragma once

#include <sys/types.h>

#include <functional>

#include "common/error.h"
#include "common/unique_fd.h"
#include "model/oci_spec.h"
#include "model/oci_state.h"
#include "runtime/oci_cgroups.h"
#include "runtime/oci_process.h"
#include "runtime/oci_start.h"

namespace cordon {

struct OciExecution {
  const OciProcessPlan& plan;
  const OciFilter& filter;
  const OciCgroups& cgroups;
  const OciRecord& record;
  int container = -1;         ///< pidfd of the container's process
  int landlock_ruleset = -1;  ///< that its processes are restricted by; -1: none
  TakeListener take_listener;
  /// Gets the terminal's master, when the process has one.
  std::function<Status(UniqueFd master)> take_terminal;
  /// Told the pid before the command is executed.
  std::function<Status(pid_t pid)> take_pid;
};

/// Executes a further command in a container: in its namespaces and cgroups, as a child of the
/// caller. Its pid. Fails naming what could not be done; nothing is left then. The caller must be
/// single-threaded.
Expected<pid_t> ExecuteInOciContainer(const OciExecution& execution);

}  // namespace cordon
