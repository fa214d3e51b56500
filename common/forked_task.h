#pragma once

#include <functional>
#include <string>

#include "common/error.h"

namespace cordon {

struct ForkedTaskLimits {
  unsigned processor_seconds = 0;  ///< that the child may use; 0: any
};

/// Runs `task` in a forked child and gives back the bytes that it returned. Whatever the child does
/// to the process's global state, or its death, stays there: it fails with kInternal naming `what`,
/// with kLimit when `limits` ended it. The caller must be single-threaded, as the child goes on
/// with ordinary code.
Expected<std::string> RunForked(const std::function<std::string()>& task, const std::string& what,
                                const ForkedTaskLimits& limits = {});

}  // namespace cordon
