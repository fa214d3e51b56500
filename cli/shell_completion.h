#pragma once

#include <span>
#include <string>

#include "cli/command_shape.h"

namespace cordon::cli {

/// A script that lets the shell complete cordon's command line: subcommands, options, values that
/// are one of a few words, files and folders, and names of sandboxes, for which it asks
/// `cordon list`. Where a command begins, it completes as the shell does for any.
std::string BashCompletion(std::span<const CommandShape> commands);  ///< bash 4.4 and later
std::string ZshCompletion(std::span<const CommandShape> commands);   ///< for $fpath, as _cordon
std::string FishCompletion(std::span<const CommandShape> commands);

}  // namespace cordon::cli
