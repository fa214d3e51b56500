#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/command_shape.h"
#include "cli/manual_page.h"
#include "cli/print_document.h"
#include "cli/report_error.h"
#include "cli/shell_completion.h"
#include "common/file.h"
#include "common/text.h"

namespace cordon::cli {
namespace {

constexpr std::size_t kMaxSectionsBytes = 1U << 20U;

struct ManualOptions {
  std::string command;
  std::string sections;
};

int PrintManual(const CLI::App& app, const ManualOptions& options) {
  std::string sections;
  if (!options.sections.empty()) {
    Expected<std::string> text = ReadFile(options.sections, kMaxSectionsBytes);
    if (!text) {
      return ReportError(text.error());
    }
    sections = *std::move(text);
  }
  const std::vector<CommandShape> commands = ShapesOf(app);
  if (options.command == "cordon") {
    return PrintDocument(ManualPage(commands, sections), kOk);
  }
  const auto found = std::ranges::find(commands, options.command, &CommandShape::name);
  if (found == commands.end()) {
    return ReportError(InvalidInput("there is no command " + Quote(options.command)));
  }
  return PrintDocument(ManualPage(*found, sections), kOk);
}

}  // namespace

void AddManualCommands(CLI::App& app, int& exit_code) {
  auto shell = std::make_shared<std::string>();
  CLI::App* const completion = app.add_subcommand(
      "completion", "Write a script with which a shell completes cordon's command line");
  completion->add_option("SHELL", *shell, "The shell")
      ->required()
      ->check(CLI::IsMember({"bash", "fish", "zsh"}));
  completion->callback([&app, &exit_code, shell] {
    const std::vector<CommandShape> commands = ShapesOf(app);
    exit_code = PrintDocument(*shell == "bash"  ? BashCompletion(commands)
                              : *shell == "zsh" ? ZshCompletion(commands)
                                                : FishCompletion(commands),
                              kOk);
  });

  auto options = std::make_shared<ManualOptions>();
  CLI::App* const manual = app.add_subcommand("manual", "Write a manual page as man(7) source");
  manual->group("");  // for the build only
  manual->add_option("COMMAND", options->command, "Whose; cordon: that of them all")->required();
  manual->add_option("SECTIONS", options->sections, "A file with what --help does not say");
  manual->callback([&app, &exit_code, options] { exit_code = PrintManual(app, *options); });
}

}  // namespace cordon::cli
