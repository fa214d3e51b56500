#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace cordon::cli {

/// Takes the first "--" and everything after it off `arguments`, a whole command line without the
/// program's name, and keeps what followed for WorkloadCommand(). CLI11 would take "[a,b]" among
/// them for a list of two.
void TakeWorkloadArguments(std::vector<std::string>& arguments);

/// The workload of `command`, a subcommand with prefix_command() that has been parsed: what
/// followed the "--", or the first word that is no option and all that follows that. Throws
/// CLI::ParseError when there is none, or when that first word is an option that `command` does not
/// know.
std::vector<std::string> WorkloadCommand(const CLI::App& command);

/// Is there anything that WorkloadCommand() would make a command of?
bool HasWorkload(const CLI::App& command);

}  // namespace cordon::cli
