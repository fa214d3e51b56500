#include "cli/terminal_options.h"

namespace cordon::cli {

CLI::Option* AddTerminalOptions(CLI::App& command, bool& terminal, bool& interactive) {
  CLI::Option* const tty = command.add_flag(
      "-t,--tty", terminal,
      "A terminal of its own inside, which the one at standard input is joined to");
  command.add_flag("-i,--interactive", interactive,
                   "Pass standard input on (always so; for the habit of -it)");
  return tty;
}

}  // namespace cordon::cli
