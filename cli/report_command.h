#pragma once

#include <CLI/CLI.hpp>

namespace cordon::cli {

/// `report`, as an AddCommand (cli/command.h).
void AddReportCommand(CLI::App& app, int& exit_code);

}  // namespace cordon::cli
