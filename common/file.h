#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/unique_fd.h"

namespace cordon {

/// openat(2) with O_CLOEXEC added. `what` names the object in the error; default is the path.
Expected<UniqueFd> OpenAt(int dirfd, const std::string& path, int flags, unsigned mode = 0);

/// The whole content of `path`. Fails with kLimit when it is longer than `limit_bytes`, with
/// kInvalidInput when it is not a regular file, pipe or character device.
Expected<std::string> ReadFile(const std::string& path, std::size_t limit_bytes);

/// Must what is written outlast a machine that loses power at once? Waiting for a disk takes
/// milliseconds.
enum class Durability : std::uint8_t {
  kSynced,    ///< fsync(2): then either all of it is there, or what was there before
  kUnsynced,  ///< as any program's file
};

/// Replaces `path` by `content` in one step: a temporary file beside it, fsync, rename. On failure
/// `path` is as it was and nothing is left beside it.
Status WriteFileAtomically(const std::string& path, std::string_view content, unsigned mode = 0644,
                           Durability durability = Durability::kSynced);

/// Makes the folder `path` hold exactly `files` (relative name without '/' -> content), in one step
/// for readers: a new folder beside it is filled and exchanged with the old one (renameat2
/// RENAME_EXCHANGE where the file system has it, else two renames). An existing `path` is replaced
/// only if it is a folder that holds a regular file named `marker`; otherwise kInvalidInput. On
/// failure `path` is as it was and nothing is left beside it.
Status WriteFolderAtomically(const std::string& path,
                             const std::map<std::string, std::string>& files,
                             const std::string& marker);

}  // namespace cordon
