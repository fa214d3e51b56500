#pragma once

#include <CLI/CLI.hpp>

namespace cordon::cli {

/// Exit codes of cordon itself (docs: exit codes).
inline constexpr int kOk = 0;
inline constexpr int kAnswerIsNo = 1;
inline constexpr int kUsage = 2;     ///< wrong usage or unreadable input
inline constexpr int kCannot = 125;  ///< cordon itself could not do it

/// A subcommand: adds itself to `app` and stores what to run. `exit_code` is set by the
/// subcommand's callback.
using AddCommand = void (*)(CLI::App& app, int& exit_code);

void AddCalibrateCommand(CLI::App& app, int& exit_code);
void AddCheckCommand(CLI::App& app, int& exit_code);
void AddConvertCommand(CLI::App& app, int& exit_code);
void AddDiffCommand(CLI::App& app, int& exit_code);
void AddDoctorCommand(CLI::App& app, int& exit_code);
void AddExecCommand(CLI::App& app, int& exit_code);
void AddExplainCommand(CLI::App& app, int& exit_code);
void AddGenerateCommand(CLI::App& app, int& exit_code);
void AddInspectCommand(CLI::App& app, int& exit_code);
void AddKillCommand(CLI::App& app, int& exit_code);
void AddLintCommand(CLI::App& app, int& exit_code);
void AddListCommand(CLI::App& app, int& exit_code);
void AddLogsCommand(CLI::App& app, int& exit_code);
void AddManualCommands(CLI::App& app, int& exit_code);
void AddMergeCommand(CLI::App& app, int& exit_code);
void AddPauseCommand(CLI::App& app, int& exit_code);
void AddProfileCommand(CLI::App& app, int& exit_code);
void AddResumeCommand(CLI::App& app, int& exit_code);
void AddRmCommand(CLI::App& app, int& exit_code);
void AddRunCommand(CLI::App& app, int& exit_code);
void AddShowCommand(CLI::App& app, int& exit_code);
void AddSubsetCommand(CLI::App& app, int& exit_code);
void AddWaitCommand(CLI::App& app, int& exit_code);

}  // namespace cordon::cli
