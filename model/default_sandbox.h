#pragma once

#include "model/sandbox_config.h"

namespace cordon {

/// What every sandbox starts from, with or without a policy: all namespaces but user and time, the
/// host's root read-only with /proc, /dev, /sys and /tmp of its own, the OCI masked and read-only
/// paths, no_new_privs, no network, and the capabilities that Podman gives by default.
SandboxConfig DefaultSandbox();

}  // namespace cordon
