#pragma once

#include <functional>
#include <string>

#include "common/error.h"
#include "model/oci_spec.h"
#include "model/oci_state.h"
#include "runtime/oci_folder.h"
#include "runtime/oci_process.h"

namespace cordon {

/// Gets the listener of the seccomp filter that `pid` waits under; nothing: nobody takes it.
using TakeListener = std::function<Status(UniqueFd listener, pid_t pid)>;

/// Who gives it to the agent that the engine's profile names; nothing where that names none. Both
/// arguments must outlive it.
TakeListener ListenerForAgent(const OciSpec& spec, const OciRecord& record);

struct OciStartActions {
  /// Called once nothing but the execution is left to do.
  std::function<Status()> before_go;
  TakeListener take_listener;
};

/// Lets the container in `folder`, whose lock the caller holds, execute its command, and waits
/// until it has. Fails naming what went wrong; the container has ended then. kInvalidInput for one
/// that is not waiting.
Status StartOciContainer(const OciFolder& folder, const OciRecord& record, const OciSpec& spec,
                         const OciStartActions& actions);

/// Sets `limits` of another process, `pid`, which waits. What only that may set, as it is another
/// user's by now and the caller has no CAP_SYS_RESOURCE (prlimit(2)), it sets when it goes on.
Status SetRlimitsOf(pid_t pid, const std::vector<RlimitStep>& limits);

/// Waits until the process that `socket` and `page` are shared with has executed its command, and
/// hands its seccomp listener on meanwhile. Fails with what it could not do.
Status AwaitOciExecution(int socket, HandoverPage& page, const OciProcessPlan& plan,
                         const TakeListener& take_listener, pid_t pid);

}  // namespace cordon
