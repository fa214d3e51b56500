#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "model/recording.h"

namespace cordon::cli {

/// The recording in the file `path`.
Expected<Recording> LoadRecording(const std::string& path);

/// All of `paths` merged; the order does not matter.
Expected<Recording> LoadRecordings(const std::vector<std::string>& paths);

}  // namespace cordon::cli
