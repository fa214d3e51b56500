#pragma once

#include <optional>
#include <string>

#include "common/error.h"

namespace cordon {

/// The module package NAME.pp of a module's type enforcement file and file contexts, made by
/// checkmodule(8) and semodule_package(8) in a folder of its own that is gone afterwards; nothing
/// where one of the two is not installed. Fails with kInternal and their words when they refuse.
Expected<std::optional<std::string>> BuildModulePackage(const std::string& name,
                                                        const std::string& te,
                                                        const std::string& fc);

}  // namespace cordon
