#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace cordon::cli {

/// What a person, or a shell that completes for one, may write as a value.
enum class ValueKind : std::uint8_t { kNone, kText, kChoice, kFile, kDirectory, kSandbox };

/// An option or a positional argument, as --help knows it.
struct ArgumentShape {
  std::vector<std::string> names;  ///< "-o", "--output"; of a positional one its only word
  std::string value;               ///< "FILE"; empty: takes none
  ValueKind kind = ValueKind::kNone;
  std::vector<std::string> choices;  ///< kChoice
  std::string description;
  bool required = false;
  bool repeats = false;
};

/// What a command's exit status tells.
enum class ExitStatusMeaning : std::uint8_t {
  kAnswer,    ///< done, yes or no
  kWorkload,  ///< how what it ran, or waited for, ended
};

/// A subcommand, as --help knows it.
struct CommandShape {
  std::string name;
  std::string description;
  std::string footer;
  std::vector<ArgumentShape> options;
  std::vector<ArgumentShape> positionals;
  bool runs_a_command = false;  ///< "-- COMMAND [ARGUMENT]..." follows
  ExitStatusMeaning exit_status = ExitStatusMeaning::kAnswer;
};

/// The subcommands of `app` that --help lists, in its order: the one source of the manual and of
/// what shells complete.
std::vector<CommandShape> ShapesOf(const CLI::App& app);

}  // namespace cordon::cli
