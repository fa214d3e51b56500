#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "model/architecture.h"

namespace cordon {

/// The first two numbers of a kernel's release, which is all that a profile's minKernel compares.
struct KernelVersion {
  unsigned major = 0;
  unsigned minor = 0;
  auto operator<=>(const KernelVersion&) const = default;
};

/// "5.10" exactly, each number at most 255, and not "0.0" (moby profiles/seccomp:
/// ParseKernelVersion).
std::optional<KernelVersion> ParseKernelVersion(std::string_view text);

/// What the conditions of a container profile (archMap, includes, excludes) are decided for.
struct ProfileContext {
  Architecture architecture = NativeArchitecture();  ///< of the container runtime itself
  std::set<std::string> capabilities;  ///< "CAP_CHOWN", …: the container's bounding set
  KernelVersion kernel;                ///< of the host
};

/// The bounding set of a container that Docker or Podman starts without --cap-add and --cap-drop:
/// Docker's fourteen (moby oci/caps/defaults.go).
const std::set<std::string>& DefaultContainerCapabilities();

}  // namespace cordon
