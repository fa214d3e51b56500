#pragma once

#include <optional>
#include <string>

#include "common/error.h"
#include "common/file.h"
#include "model/recording.h"

namespace cordon::cli {

/// Where a new recording goes, and what is there already.
struct RecordingDestination {
  std::string path;
  bool in_place = false;              ///< a device or pipe: written to, not replaced
  std::optional<Recording> existing;  ///< to be merged with
};

/// Finds out before anything runs whether a recording can be written to `path`, and reads the
/// recording in `append` if that is not empty and exists.
Expected<RecordingDestination> PrepareDestination(const std::string& path,
                                                  const std::string& append);

/// Writes `document`; a regular file is replaced in one step.
Status WriteTo(const RecordingDestination& destination, const std::string& document,
               Durability durability = Durability::kSynced);

}  // namespace cordon::cli
