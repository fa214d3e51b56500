#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/check_report.h"
#include "cli/command.h"
#include "cli/load_recording.h"
#include "cli/load_seccomp_policy.h"
#include "cli/load_selinux_policy.h"
#include "cli/print_document.h"
#include "cli/report_error.h"

namespace cordon::cli {
namespace {

struct CheckOptions {
  std::string policy;
  std::vector<std::string> recordings;
  ProfileContextOptions context;
  SelinuxPolicyOptions selinux;
  bool json = false;
  bool sarif = false;
  bool junit = false;
};

/// The parts of a policy that a recording can be held against.
struct CheckedPolicy {
  std::optional<ResolvedProfile> seccomp;
  std::optional<SelinuxPolicyInput> selinux;
};

std::string Render(const CheckOptions& options, const std::vector<CheckedRecording>& checked) {
  return options.json    ? CheckAsJson(checked)
         : options.sarif ? CheckAsSarif(checked)
         : options.junit ? CheckAsJunit(checked)
                         : CheckAsText(checked);
}

/// A folder has both parts, a file one of them.
Expected<CheckedPolicy> Load(const CheckOptions& options) {
  CheckedPolicy policy;
  std::error_code ignored;
  const bool folder = std::filesystem::is_directory(options.policy, ignored);
  if (!folder) {
    ASSIGN_OR_RETURN(policy.selinux, LoadSelinuxPolicy(options.policy, options.selinux));
  }
  if (!policy.selinux.has_value()) {
    ASSIGN_OR_RETURN(policy.seccomp, LoadSeccompPolicy(options.policy, options.context));
  }
  if (folder) {
    ASSIGN_OR_RETURN(policy.selinux, LoadSelinuxPolicy(options.policy, options.selinux));
  }
  return policy;
}

int Check(const CheckOptions& options) {
  const Expected<CheckedPolicy> loaded = Load(options);
  if (!loaded) {
    return ReportInputError(loaded.error());
  }
  const std::optional<ResolvedProfile>& seccomp = loaded->seccomp;
  const std::optional<SelinuxPolicyInput>& selinux = loaded->selinux;
  if (seccomp) {
    ReportNotes(options.policy, *seccomp, options.context);
  }
  std::vector<CheckedRecording> checked;
  bool all_hold = true;
  for (const std::string& path : options.recordings) {
    const Expected<Recording> recording = LoadRecording(path);
    if (!recording) {
      return ReportInputError(recording.error());
    }
    CheckedRecording one{.policy = options.policy, .recording = path, .calls = {}, .accesses = {}};
    if (seccomp) {
      one.calls = CheckRecording(seccomp->policy, *recording);
    }
    if (selinux) {
      Expected<SelinuxReplay> replay = ReplayRecording(selinux->file, selinux->domain, *recording);
      if (!replay) {
        return ReportInputError(replay.error());
      }
      one.accesses = std::move(*replay);
    }
    all_hold = all_hold && one.Holds();
    checked.push_back(std::move(one));
  }
  return PrintDocument(Render(options, checked), all_hold ? kOk : kAnswerIsNo);
}

}  // namespace

void AddCheckCommand(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand(
      "check", "Replay recordings against a policy: exit 1 when something would be refused");
  const auto options = std::make_shared<CheckOptions>();
  command
      ->add_option("POLICY", options->policy,
                   "A policy folder, a seccomp profile, a SELinux module (.cil, .pp) or a compiled "
                   "SELinux policy")
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
  AddSelinuxPolicyOptions(*command, options->selinux);
  command->callback([options, &exit_code] { exit_code = Check(*options); });
}

}  // namespace cordon::cli
