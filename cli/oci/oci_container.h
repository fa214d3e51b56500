#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/oci/oci_call.h"
#include "common/error.h"
#include "common/unique_fd.h"
#include "model/oci_state.h"
#include "runtime/oci_cgroups.h"
#include "runtime/oci_folder.h"

namespace cordon::cli {

/// A container as a call finds it.
struct OciContainer {
  OciFolder folder;
  OciRecord record;
  OciCgroups cgroups;
  std::optional<UniqueFd> process;  ///< pidfd of its first one; nothing: it is gone
  OciStatus status = OciStatus::kStopped;
};

/// Whether a call changes the container, and so waits for others that do.
enum class OciAccess : std::uint8_t { kLook, kChange };

/// Fails with kNotFound for a container that is not there.
Expected<OciContainer> LoadOciContainer(const OciCall& call, const std::string& id,
                                        OciAccess access);

/// The hierarchies of this host that a container of this call gets cgroups in: none with
/// --cgroup-manager disabled.
Expected<std::vector<OciHierarchy>> OciHierarchies(const OciCall& call);

/// Sends `signal` to the container's first process. Fails with the words that engines know,
/// "container not running", where it is gone.
Status SignalOciContainer(const OciContainer& container, int signal);

/// The number of "KILL", "SIGKILL", "9" or "SIGRTMIN+3".
Expected<int> ParseOciSignal(const std::string& text);

}  // namespace cordon::cli
