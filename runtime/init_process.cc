#include "runtime/init_process.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "runtime/launch_actions.h"
#include "runtime/terminal_actions.h"

namespace cordon {
namespace {

/// A time namespace for the children of this process: a clock must be set before anybody is in it
/// (time_namespaces(7)). The supervisor gets it for who enters later.
StepResult MakeTimeNamespace(const HoldContext& hold) {
  const std::string& offsets = hold.plan.time_offsets;
  if (::syscall(SYS_unshare, CLONE_NEWTIME) != 0) {
    return Failed(LaunchStep::kTimeNamespace);
  }
  // The files in /proc of a process that is not dumpable are root's (proc(5)). Nothing that could
  // trace this one is in the sandbox yet; the /proc is the host's still.
  (void)::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  const int file = ::open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
  if (file < 0 ||
      ::write(file, offsets.c_str(), offsets.size()) != static_cast<ssize_t>(offsets.size())) {
    return Failed(LaunchStep::kTimeOffsets);
  }
  (void)::close(file);
  const std::array<int, 1> made{::open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC)};
  if (made[0] < 0 ||
      SendSetupMessage(hold.supervisor, {SetupMessageKind::kTimeNamespace, LaunchStep::kNone, 0, 0},
                       made) != 0) {
    return Failed(LaunchStep::kTimeNamespace);
  }
  (void)::close(made[0]);
  (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  return kDone;
}

void NoteMissingSources(const InitContext& context) {
  const std::vector<int>& sources = context.mounts.sources;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i] < 0) {
      (void)SendSetupMessage(context.hold.supervisor,
                             {SetupMessageKind::kNote, LaunchStep::kMountSource, -sources[i],
                              static_cast<std::uint32_t>(i)});
    }
  }
}

}  // namespace

void RunInit(const InitContext& context) {
  const HoldContext& hold = context.hold;
  BecomeHolder(hold, "cordon-init");
  Require(hold, TakeStreams(context.standard_streams));
  const LaunchPlan& plan = hold.plan;
  Require(hold, BecomeRootInside(plan));
  Require(hold, JoinCgroups(hold));
  if (!plan.time_offsets.empty()) {
    Require(hold, MakeTimeNamespace(hold));
  }
  if (plan.loopback) {
    Require(hold, BringLoopbackUp());
  }
  if (!plan.hostname.empty() && ::sethostname(plan.hostname.c_str(), plan.hostname.size()) != 0) {
    ReportFailure(hold, Failed(LaunchStep::kHostname));
  }
  Require(hold, MountRoot(plan, context.mounts));
  if (plan.terminal) {
    // The caller's terminal is not this process's any more.
    (void)::setsid();
    Require(hold, HandOverTerminal(hold.supervisor, context.mounts.master, context.mounts.terminal,
                                   plan.uid, *plan.terminal));
  }
  NoteMissingSources(context);
  HoldWorkload(hold, context.mounts.private_proc);
}

}  // namespace cordon
