#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/unique_fd.h"
#include "model/oci_spec.h"
#include "model/oci_state.h"
#include "runtime/oci_cgroups.h"
#include "runtime/oci_container_plan.h"
#include "runtime/oci_process.h"
#include "runtime/setup_channel.h"

namespace cordon {

struct OciCreation {
  const OciSpec& spec;
  const OciContainerPlan& plan;
  const OciFilter& filter;
  const OciCgroups& cgroups;
  OciRecord record;         ///< all but pid and start time
  int start_listener = -1;  ///< a listening SOCK_SEQPACKET, for `start`
  /// Gets the terminal's master, when the process has one.
  std::function<Status(UniqueFd master)> take_terminal;
  /// Gets the Landlock ruleset, when the process has one.
  std::function<void(UniqueFd ruleset)> take_ruleset;
  /// Gets the record with pid and start time, as soon as there is a process: before any hook.
  std::function<Status(const OciRecord& record)> take_record;
};

/// A container that is complete but for its start. Killed with this, unless Release() was called.
class CreatedContainer {
 public:
  CreatedContainer(CreatedContainer&& other) noexcept;
  CreatedContainer& operator=(CreatedContainer&&) = delete;
  CreatedContainer(const CreatedContainer&) = delete;
  CreatedContainer& operator=(const CreatedContainer&) = delete;
  ~CreatedContainer();

  pid_t pid() const { return pid_; }

  /// It lives on without the caller: what there is to know of it is written down.
  Status Release();

 private:
  friend Expected<CreatedContainer> CreateOciContainer(OciCreation creation);

  CreatedContainer(pid_t pid, UniqueFd channel) : pid_(pid), channel_(std::move(channel)) {}

  pid_t pid_;
  UniqueFd channel_;
};

/// Makes the container's process, a child of the caller, and everything around it, and runs the
/// hooks of `create`. Fails naming what could not be done; nothing is left but the cgroups. The
/// caller must be single-threaded.
Expected<CreatedContainer> CreateOciContainer(OciCreation creation);

/// What `message` (kFailed) says of the making of `plan`, as a sentence.
Error DescribeOciFailure(const OciContainerPlan& plan, const SetupMessage& message);

/// The same of a process's own part.
Error DescribeOciProcessFailure(const OciProcessPlan& plan, const StepResult& result);

/// Writes `score` for the OOM killer to the process.
Status WriteOomScore(pid_t pid, int score);

/// Runs `hooks` of `kind` ("prestart") in the caller's namespaces. Fails at the first that fails,
/// with the end of what it said on stderr.
Status RunOciHooks(const std::vector<OciHook>& hooks, std::string_view kind,
                   const OciRecord& record, OciStatus status);

}  // namespace cordon
