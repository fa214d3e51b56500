#pragma once

#include <string>

#include "common/error.h"
#include "model/json_cursor.h"
#include "model/resource_limits.h"

namespace cordon {

/// `limits` as an OCI LinuxResources object (runtime-spec 1.1, config-linux.md): "{}" for none. A
/// lifted limit is -1, as runc writes it.
std::string WriteResourceLimits(const ResourceLimits& limits);

/// The limits at `place`, such an object. Fails with kInvalidInput at the first member that cordon
/// could not hold a sandbox to, and at one that means nothing.
Expected<ResourceLimits> ReadResourceLimits(const JsonCursor& place);

}  // namespace cordon
