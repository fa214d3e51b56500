#pragma once

#include <functional>

#include "common/error.h"
#include "model/oci_spec.h"
#include "model/oci_state.h"
#include "runtime/oci_folder.h"
#include "runtime/oci_process.h"

namespace cordon {

/// Lets the container in `folder`, whose lock the caller holds, execute its command, and waits
/// until it has. `before_go` is called once nothing but that is left to do. Fails naming what went
/// wrong; the container has ended then. kInvalidInput for one that is not waiting.
Status StartOciContainer(const OciFolder& folder, const OciRecord& record, const OciSpec& spec,
                         const std::function<Status()>& before_go);

/// Sets `limits` of another process, `pid`, which waits. What only that may set, as it is another
/// user's by now and the caller has no CAP_SYS_RESOURCE (prlimit(2)), it sets when it goes on.
Status SetRlimitsOf(pid_t pid, const std::vector<RlimitStep>& limits);

/// Waits until the process that `socket` and `page` are shared with has executed its command, and
/// hands its seccomp listener on meanwhile. Fails with what it could not do.
Status AwaitOciExecution(int socket, HandoverPage& page, const OciProcessPlan& plan,
                         const OciSeccomp* seccomp, const OciRecord& record, pid_t pid);

}  // namespace cordon
