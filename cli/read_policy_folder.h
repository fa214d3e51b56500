#pragma once

#include <map>
#include <string>

#include "common/error.h"

namespace cordon::cli {

/// The files of the bundle in `folder` (name -> content) but its report.html, which is large and
/// for people. Fails with kInvalidInput for a folder that holds too much to be a bundle.
Expected<std::map<std::string, std::string>> ReadPolicyFolder(const std::string& folder);

}  // namespace cordon::cli
