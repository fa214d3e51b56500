#include "cli/resource_commands.h"

namespace cordon::cli {

void AddResourceCommands(CLI::App& app, int& exit_code) {
  AddUpdateCommand(app, exit_code);
  AddStatsCommand(app, exit_code);
  AddTopCommand(app, exit_code);
  AddTreeCommand(app, exit_code);
}

}  // namespace cordon::cli
