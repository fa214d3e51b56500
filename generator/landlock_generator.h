#pragma once

#include <optional>
#include <vector>

#include "generator/file_changes.h"
#include "model/recording.h"
#include "model/sandbox_config.h"

namespace cordon {

/// The Landlock rules for the files of `recording`, by path. A rule follows the inode, so it sits
/// on the folder wherever entries came or went and wherever a file can be replaced from outside
/// (not in /usr and its like, nor directly in a folder that many programs share), else on the file.
/// Everything in /proc is one rule on /proc, whose inodes come and go. Nothing where the workload
/// mounted: Landlock forbids every mount to who is restricted. Landlock cannot hold stat, access,
/// chmod, chown, xattr, chdir and connecting to a socket's path.
std::optional<std::vector<LandlockRule>> LandlockRules(const Recording& recording,
                                                       const FileChanges& changes);

}  // namespace cordon
