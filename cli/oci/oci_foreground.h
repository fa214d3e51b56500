#pragma once

#include <sys/types.h>

#include <csignal>

#include "cli/oci/oci_call.h"
#include "model/oci_spec.h"
#include "model/oci_state.h"

namespace cordon::cli {

/// While this lives signals wait; Await() passes them on to the process it waits for.
class Foreground {
 public:
  Foreground();
  Foreground(const Foreground&) = delete;
  Foreground& operator=(const Foreground&) = delete;
  ~Foreground();

  /// Waits for the child `pid` and reaps what else ends; its exit status, or 128 and the signal.
  int Await(pid_t pid);

 private:
  sigset_t before_;
};

enum class DeleteMode : std::uint8_t { kStopped, kForce };

/// The commands `start` and `delete`.
Status StartContainer(const OciCall& call, const std::string& id);
Status DeleteContainer(const OciCall& call, const std::string& id, DeleteMode mode);

/// Those of a container that is gone; one that fails is a warning.
void RunPoststopHooks(const OciCall& call, const OciHooks& hooks, const OciRecord& record);

/// Whether the kernel runs AppArmor.
bool HostRunsAppArmor();

}  // namespace cordon::cli
