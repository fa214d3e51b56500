#pragma once

#include <CLI/App.hpp>

namespace cordon::cli {

/// What a command says that was asked for a terminal and has none to join it to.
inline constexpr const char* kNoTerminal =
    "--tty: standard input is no terminal that the command's could be joined to: leave it out, or "
    "run cordon in a terminal";

/// Adds -t and -i, which go together as in other programs: input is passed on in any case. Returns
/// the first.
CLI::Option* AddTerminalOptions(CLI::App& command, bool& terminal, bool& interactive);

}  // namespace cordon::cli
