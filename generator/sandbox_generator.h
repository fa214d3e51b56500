#pragma once

#include <string>

#include "common/error.h"
#include "model/recording.h"
#include "model/sandbox_config.h"

namespace cordon {

/// The OCI configuration for what `recording` saw: the host's root read-only, bind mounts for what
/// was written, private /tmp, capabilities that were needed, network mode, limits from the peaks
/// with headroom, Landlock rules for the files. `config.seccomp` and `config.selinux_label` are
/// left for the caller. Deterministic.
Expected<SandboxConfig> GenerateSandbox(const Recording& recording, const std::string& name);

}  // namespace cordon
