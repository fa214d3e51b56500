#include "cli/workload_arguments.h"

#include <algorithm>
#include <optional>

namespace cordon::cli {
namespace {

std::optional<std::vector<std::string>>& Kept() {
  static std::optional<std::vector<std::string>> kept;
  return kept;
}

}  // namespace

void TakeWorkloadArguments(std::vector<std::string>& arguments) {
  const auto dashes = std::ranges::find(arguments, "--");
  if (dashes != arguments.end()) {
    Kept().emplace(dashes + 1, arguments.end());
    arguments.erase(dashes, arguments.end());
  }
}

std::vector<std::string> WorkloadCommand(const CLI::App& command) {
  std::vector<std::string> words = command.remaining();
  if (!words.empty() && words.front().starts_with('-')) {
    throw CLI::ExtrasError(command.get_name(), {words.front()});
  }
  if (const auto& after_dashes = Kept()) {
    if (!words.empty()) {
      words.emplace_back("--");  // it was the command's own
    }
    words.insert(words.end(), after_dashes->begin(), after_dashes->end());
  }
  if (words.empty()) {
    throw CLI::ValidationError(command.get_name(), "a command is missing: write it after --");
  }
  return words;
}

bool HasWorkload(const CLI::App& command) {
  return !command.remaining().empty() || Kept().has_value();
}

}  // namespace cordon::cli
