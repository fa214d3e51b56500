#pragma once

#include <vector>

#include "generator/file_changes.h"
#include "model/recording.h"
#include "model/sandbox_config.h"

namespace cordon {

/// The bind mounts that a read-only root needs for what `recording` did: a folder wherever entries
/// came or went, else the file that was changed; what was used of the host's /tmp and of unusual
/// devices in /dev, for those two are the sandbox's own. By path, so that outer mounts come first.
/// Entries made directly in "/" get no mount.
std::vector<Mount> WritableMounts(const Recording& recording, const FileChanges& changes);

}  // namespace cordon
