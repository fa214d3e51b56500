#pragma once

#include "cli/command.h"

namespace cordon::cli {

/// The subcommands for what running sandboxes may use, and what they do with it: update, stats, top
/// and tree.
void AddResourceCommands(CLI::App& app, int& exit_code);

void AddStatsCommand(CLI::App& app, int& exit_code);
void AddTopCommand(CLI::App& app, int& exit_code);
void AddTreeCommand(CLI::App& app, int& exit_code);
void AddUpdateCommand(CLI::App& app, int& exit_code);

}  // namespace cordon::cli
