#include <memory>
#include <string>
#include <vector>

#include "cli/check_report.h"
#include "cli/command.h"
#include "cli/load_recording.h"
#include "cli/load_seccomp_policy.h"
#include "cli/print_document.h"
#include "cli/report_error.h"

namespace cordon::cli {
namespace {

struct CheckOptions {
  std::string policy;
  std::vector<std::string> recordings;
  ProfileContextOptions context;
  bool json = false;
  bool sarif = false;
  bool junit = false;
};

std::string Render(const CheckOptions& options, const std::vector<CheckedRecording>& checked) {
  return options.json    ? CheckAsJson(checked)
         : options.sarif ? CheckAsSarif(checked)
         : options.junit ? CheckAsJunit(checked)
                         : CheckAsText(checked);
}

int Check(const CheckOptions& options) {
  const Expected<ResolvedProfile> profile = LoadSeccompPolicy(options.policy, options.context);
  if (!profile) {
    return ReportInputError(profile.error());
  }
  ReportNotes(options.policy, *profile, options.context);
  std::vector<CheckedRecording> checked;
  bool all_hold = true;
  for (const std::string& path : options.recordings) {
    const Expected<Recording> recording = LoadRecording(path);
    if (!recording) {
      return ReportInputError(recording.error());
    }
    checked.push_back({options.policy, path, CheckRecording(profile->policy, *recording)});
    all_hold = all_hold && checked.back().check.unheld.empty();
  }
  return PrintDocument(Render(options, checked), all_hold ? kOk : kAnswerIsNo);
}

}  // namespace

void AddCheckCommand(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand(
      "check",
      "Replay recordings against a seccomp policy: exit 1 when something would be refused");
  const auto options = std::make_shared<CheckOptions>();
  command->add_option("POLICY", options->policy, "A policy folder or a seccomp profile")
      ->required();
  command->add_option("RECORDING", options->recordings, "Recordings, each checked by itself")
      ->required();
  CLI::Option* json = command->add_flag("--json", options->json, "Print JSON");
  CLI::Option* sarif = command->add_flag("--sarif", options->sarif, "Print SARIF 2.1.0");
  command->add_flag("--junit", options->junit, "Print JUnit's XML")
      ->excludes(json)
      ->excludes(sarif);
  sarif->excludes(json);
  AddProfileContextOptions(*command, options->context);
  command->callback([options, &exit_code] { exit_code = Check(*options); });
}

}  // namespace cordon::cli
