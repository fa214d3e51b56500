#include "runtime/init_process.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cordon {
namespace {

constexpr StepResult kDone{};

StepResult Failed(LaunchStep step, std::size_t index = 0) {
  return {step, errno, static_cast<std::uint32_t>(index)};
}

StepResult BringLoopbackUp() {
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (socket < 0 || ::ioctl(socket, SIOCSIFFLAGS, &request) != 0) {
    return Failed(LaunchStep::kLoopback);
  }
  (void)::close(socket);
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
  const LaunchPlan& plan = hold.plan;
  Require(hold, JoinCgroups(hold));
  if (plan.loopback) {
    Require(hold, BringLoopbackUp());
  }
  if (!plan.hostname.empty() && ::sethostname(plan.hostname.c_str(), plan.hostname.size()) != 0) {
    ReportFailure(hold, Failed(LaunchStep::kHostname));
  }
  Require(hold, MountRoot(plan, context.mounts));
  NoteMissingSources(context);
  HoldWorkload(hold, context.mounts.private_proc);
}

}  // namespace cordon
