#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/workload_arguments.h"

int main(int argc, char** argv) {
  using namespace cordon::cli;
  CLI::App app{"cordon watches a workload once and then holds it to that", "cordon"};
  app.set_version_flag("--version", "cordon " CORDON_VERSION);
  app.require_subcommand(1);
  int exit_code = kOk;
  for (const AddCommand add : {
           AddGenerateCommand,
           AddProfileCommand,
           AddRunCommand,
           AddShowCommand,
       }) {
    add(app, exit_code);
  }
  try {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    if (!arguments.empty() && (arguments.front() == "profile" || arguments.front() == "run")) {
      TakeWorkloadArguments(arguments);
    }
    std::ranges::reverse(arguments);  // as CLI11 wants a vector
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  } catch (const std::exception& error) {
    (void)std::fprintf(stderr, "cordon: %s\n", error.what());
    return kCannot;
  }
  return exit_code;
}
