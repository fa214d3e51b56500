#pragma once

#include <string>

#include "model/recording.h"

namespace cordon::cli {

/// What `recording` saw of `subject`: a system call by name, or a file by its path (which begins
/// with a slash): how often, when first and last in its run, with which arguments and results, and
/// which programs did it. Empty when it saw nothing of it.
std::string ExplainRecording(const Recording& recording, const std::string& subject);

}  // namespace cordon::cli
