#include "runtime/entry_process.h"

#include <sched.h>
#include <unistd.h>

#include <cerrno>

namespace cordon {

void RunEntry(const EntryContext& context) {
  const HoldContext& hold = context.hold;
  BecomeHolder(hold, "cordon-entry");
  // The supervisor's terminal is not the client's: its Ctrl-C is for the first workload only.
  (void)::setsid();
  Require(hold, TakeStreams(context.standard_streams));
  for (std::size_t i = 0; i < context.namespaces.size(); ++i) {
    if (::setns(context.namespaces[i], 0) != 0) {
      ReportFailure(hold, {LaunchStep::kEnterNamespace, errno, static_cast<std::uint32_t>(i)});
    }
  }
  Require(hold, BecomeRootInside(hold.plan));
  // After the user namespace, which gives the capability to make a cgroup namespace.
  Require(hold, JoinCgroups(hold));
  HoldWorkload(hold, context.proc);
}

}  // namespace cordon
