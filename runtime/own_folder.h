#pragma once

#include <string>

#include "common/error.h"

namespace cordon {

/// Makes `folder` with mode 0700, where it is not there; what is above it must be. Fails with
/// kPermission where it is anybody's but the caller's own, or no folder: in /tmp another user may
/// have been first.
Status MakeOwnFolder(const std::string& folder);

}  // namespace cordon
