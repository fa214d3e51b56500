#include "cli/command_line_text.h"

#include "common/text.h"

namespace cordon::cli {

std::string CommandLineText(const std::vector<std::string>& command) {
  constexpr std::size_t kShown = 200;
  std::vector<std::string> shown;
  shown.reserve(command.size());
  for (const std::string& argument : command) {
    const std::string quoted = Quote(argument, kShown);
    const bool is_plain = !argument.empty() && quoted == "'" + argument + "'" &&
                          argument.find_first_of(" '\"\\$`*?;&|<>()\n\t") == std::string::npos;
    shown.push_back(is_plain ? argument : quoted);
  }
  return Join(shown, " ");
}

}  // namespace cordon::cli
