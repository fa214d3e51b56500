#pragma once

#include <string>
#include <vector>

#include "common/error.h"

namespace cordon::cli {

/// Makes of a fresh child of the runtime a process that outlives it under the name `name`: of a
/// session of its own, with nothing of the caller's open but `kept`, and no signal blocked.
void OutliveCaller(const char* name, std::vector<int> kept);

/// Makes `folder` where it is missing; `what` it is for, in messages: "recordings". Fails for a
/// path that is not absolute.
Expected<std::string> PrepareOciFolder(const std::string& folder, const std::string& what);

/// Adds `message` with the time as a line to the file at `path`; what cannot be written is lost.
void AppendLine(const std::string& path, const std::string& message);

}  // namespace cordon::cli
