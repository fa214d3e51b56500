#pragma once

#include <string>
#include <vector>

namespace cordon::cli {

/// `command` in one line for a person: what a shell would take apart is quoted, no byte of it acts
/// on a terminal.
std::string CommandLineText(const std::vector<std::string>& command);

}  // namespace cordon::cli
