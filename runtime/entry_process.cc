#include "runtime/entry_process.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "runtime/terminal_actions.h"

namespace cordon {
namespace {

/// Of the devpts that is at /dev/pts now: what the workload has put there instead, it may be held
/// to itself.
StepResult MakeTerminal(const HoldContext& hold, const TerminalSize& size) {
  int master = -1;
  int terminal = -1;
  const int root = ::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (const StepResult result = OpenMultiplexer(root, "/dev/pts/ptmx", master); !result.ok()) {
    return result;
  }
  (void)::close(root);
  if (const StepResult result = OpenTerminalOf(master, terminal); !result.ok()) {
    return result;
  }
  return HandOverTerminal(hold.supervisor, master, terminal, hold.plan.uid, size);
}

}  // namespace

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
  if (const std::optional<TerminalSize>& size = hold.plan.terminal) {
    Require(hold, MakeTerminal(hold, *size));
  }
  HoldWorkload(hold, context.proc);
}

}  // namespace cordon
