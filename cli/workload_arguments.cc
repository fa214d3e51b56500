#include "cli/workload_arguments.h"

#include <algorithm>

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

const std::optional<std::vector<std::string>>& WorkloadArguments() {
  return Kept();
}

}  // namespace cordon::cli
