#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/load_seccomp_policy.h"
#include "cli/print_document.h"
#include "cli/report_error.h"
#include "common/printable.h"
#include "common/text.h"
#include "generator/policy_lint.h"

namespace cordon::cli {
namespace {

struct LintOptions {
  std::string policy;
  ProfileContextOptions context;
  bool json = false;
};

std::string AsText(const std::string& path, const std::vector<LintFinding>& findings) {
  std::string text;
  for (const LintFinding& finding : findings) {
    text += Printable(fmt::format("{}: {}{}{}: {} [{}]", path, finding.place,
                                  finding.place.empty() ? "" : ": ", Name(finding.severity),
                                  finding.text, finding.id)) +
            "\n";
  }
  return findings.empty() ? fmt::format("{}: nothing found\n", Printable(path)) : text;
}

std::string AsJson(const std::string& path, const std::vector<LintFinding>& findings) {
  nlohmann::ordered_json document;
  document["policy"] = ToUtf8(path);
  document["findings"] = nlohmann::ordered_json::array();
  for (const LintFinding& finding : findings) {
    document["findings"].push_back({{"severity", Name(finding.severity)},
                                    {"id", finding.id},
                                    {"place", finding.place},
                                    {"text", ToUtf8(finding.text)}});
  }
  return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

int Lint(const LintOptions& options) {
  const Expected<ResolvedProfile> profile = LoadSeccompPolicy(options.policy, options.context);
  if (!profile) {
    return ReportInputError(profile.error());
  }
  const Expected<std::vector<LintFinding>> findings = LintPolicy(*profile);
  if (!findings) {
    return ReportError(findings.error().WithContext(options.policy));
  }
  const bool error = std::ranges::any_of(*findings, [](const LintFinding& finding) {
    return finding.severity == LintSeverity::kError;
  });
  return PrintDocument((options.json ? AsJson : AsText)(options.policy, *findings),
                       error ? kAnswerIsNo : kOk);
}

}  // namespace

void AddLintCommand(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand(
      "lint", "Say what is dangerous or does not work in a seccomp policy: exit 1 on an error");
  const auto options = std::make_shared<LintOptions>();
  command->add_option("POLICY", options->policy, "A policy folder or a seccomp profile")
      ->required();
  command->add_flag("--json", options->json, "Print JSON");
  AddProfileContextOptions(*command, options->context);
  command->callback([options, &exit_code] { exit_code = Lint(*options); });
}

}  // namespace cordon::cli
