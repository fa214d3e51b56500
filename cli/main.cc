#include <algorithm>
#include <cstdio>
#include <exception>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/report_command.h"
#include "cli/report_error.h"
#include "cli/resource_commands.h"
#include "cli/workload_arguments.h"
#include "runtime/readonly_program.h"

namespace cordon::cli {
namespace {

int Run(std::vector<std::string> arguments) {
  CLI::App app{"cordon watches a workload once and then holds it to that", "cordon"};
  app.set_version_flag("--version", "cordon " CORDON_VERSION);
  app.require_subcommand(1);
  int exit_code = kOk;
  for (const AddCommand add : {
           AddCalibrateCommand, AddCheckCommand,   AddConvertCommand,   AddDiffCommand,
           AddDoctorCommand,    AddExecCommand,    AddExplainCommand,   AddGenerateCommand,
           AddInspectCommand,   AddKillCommand,    AddLintCommand,      AddListCommand,
           AddLogsCommand,      AddManualCommands, AddMergeCommand,     AddPauseCommand,
           AddProfileCommand,   AddReportCommand,  AddResourceCommands, AddResumeCommand,
           AddRmCommand,        AddRunCommand,     AddShowCommand,      AddSubsetCommand,
           AddWaitCommand,
       }) {
    add(app, exit_code);
  }
  const std::set<std::string_view> before_a_command = {"calibrate", "exec", "profile", "run"};
  if (!arguments.empty() && before_a_command.contains(arguments.front())) {
    TakeWorkloadArguments(arguments);
  }
  std::ranges::reverse(arguments);  // as CLI11 wants a vector
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  return exit_code;
}

}  // namespace
}  // namespace cordon::cli

int main(int argc, char** argv) {
  try {
    if (argc > 1 && std::string_view(argv[1]) == "run") {
      if (const cordon::Status readonly = cordon::EnsureReadonlyProgram(argv); !readonly) {
        return cordon::cli::ReportError(readonly.error());
      }
    }
    return cordon::cli::Run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    (void)std::fprintf(stderr, "cordon: %s\n", error.what());
  } catch (...) {
    (void)std::fputs("cordon: an unknown exception\n", stderr);
  }
  return cordon::cli::kCannot;
}
