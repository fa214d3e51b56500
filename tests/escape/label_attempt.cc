// label_attempt ROOT FAKE_PROC: launches a command that is to get a SELinux label, with a volume of
// the image's over /proc; prints "out" when the label was written into a file of that volume. On a
// kernel without SELinux the launch itself fails, as the kernel takes no label.

#include <cstdio>
#include <cstring>
#include <string>

#include "common/file.h"
#include "model/default_sandbox.h"
#include "runtime/host_features.h"
#include "runtime/launch_plan.h"
#include "runtime/sandbox.h"

int main(int argc, char** argv) {
  using namespace cordon;
  if (argc != 3) {
    (void)std::fprintf(stderr, "usage: label_attempt ROOT FAKE_PROC\n");
    return 2;
  }
  const std::string proc = argv[2];
  LaunchRequest request;
  request.config = DefaultSandbox();
  request.config.root_path = argv[1];
  request.config.arguments = {"/bin/true"};
  request.volumes = {{"/proc", "bind", proc, {"rbind"}}};
  const Expected<HostFeatures> host = ProbeHost();
  Expected<LaunchPlan> plan = host ? PlanLaunch(request, *host) : std::unexpected(host.error());
  if (!plan) {
    (void)std::fprintf(stderr, "%s\n", plan.error().message.c_str());
    return 2;
  }
  plan->selinux_label = "system_u:system_r:web_t:s0";
  SandboxOptions options;
  options.on_warning = [](const std::string& warning) {
    (void)std::fprintf(stderr, "%s\n", warning.c_str());
  };
  if (const Expected<SandboxResult> result = RunSandbox(*plan, options); !result) {
    (void)std::fprintf(stderr, "%s\n", result.error().message.c_str());
  }
  const Expected<std::string> written = ReadFile(proc + "/thread-self/attr/exec", 4096);
  if (written && *written == plan->selinux_label) {
    (void)std::puts("out");
  }
  return 0;
}
