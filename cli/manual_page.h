#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/command_shape.h"

namespace cordon::cli {

/// The page of `command` as man(7) source for section 1: name, synopsis and options as --help has
/// them, with `sections` (man(7) source: description, examples) between.
std::string ManualPage(const CommandShape& command, std::string_view sections);

/// The page of cordon itself, which names every command.
std::string ManualPage(std::span<const CommandShape> commands, std::string_view sections);

}  // namespace cordon::cli
