#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/explain_recording.h"
#include "cli/explain_selinux.h"
#include "cli/load_input.h"
#include "cli/load_seccomp_policy.h"
#include "cli/print_document.h"
#include "cli/report_error.h"
#include "common/file.h"
#include "common/text.h"
#include "generator/attack_surface.h"
#include "model/policy_bundle.h"
#include "model/policy_reasons.h"
#include "model/recorded_calls.h"
#include "model/seccomp_compiler.h"
#include "model/seccomp_names.h"

namespace cordon::cli {
namespace {

constexpr std::size_t kMaxReasonsBytes = std::size_t{64} << 20;

struct ExplainOptions {
  std::string input;
  std::string subject;
  std::vector<std::uint64_t> arguments;
  ProfileContextOptions context;
  bool json = false;
};

/// The reasons that a bundle gives; none for a profile alone.
Expected<PolicyReasons> LoadReasons(const std::string& path) {
  const std::string file = (std::filesystem::path(path) / std::string(kWhyFile)).string();
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored) || !std::filesystem::exists(file, ignored)) {
    return PolicyReasons{};
  }
  ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kMaxReasonsBytes));
  return ReadPolicyReasons(text, file);
}

/// One rule as it bears on one call, with its reasons or else its comment.
std::string Text(const CallRules::Rule& rule, const std::string& name,
                 const ResolvedProfile& profile, const PolicyReasons& reasons) {
  const SeccompRule& source = profile.policy.rules[rule.index];
  const std::string& place = profile.places[rule.index];
  std::string conditions;
  for (const ArgumentCondition& condition : rule.conditions) {
    conditions += (conditions.empty() ? " where " : " and ") + Describe(condition);
  }
  std::string text = fmt::format("  {}: {}{}\n", place, Describe(rule.action), conditions);
  if (!source.comment.empty()) {
    text += fmt::format("      {}\n", Quote(source.comment));
  }
  if (const auto found = reasons.find(place); found != reasons.end()) {
    for (const std::string& reason : ReasonsFor(name, source.names, found->second)) {
      if (reason != source.comment) {
        text += fmt::format("      {}\n", Quote(reason));
      }
    }
  }
  return text;
}

std::string ExplainCall(const ExplainOptions& options, const ResolvedProfile& profile,
                        const PolicyReasons& reasons, Syscall call) {
  const CallRules rules(profile.policy, call);
  if (!options.arguments.empty()) {
    SyscallInvocation invocation{call, {}};
    std::ranges::copy(options.arguments, invocation.arguments.begin());
    const CallRules::Rule* const rule = rules.Find(invocation.arguments);
    return fmt::format("{}: {}\n", DescribeInvocation(invocation),
                       Describe(rules.Answer(invocation.arguments))) +
           (rule == nullptr ? "  no rule matches: the default action\n"
                            : Text(*rule, options.subject, profile, reasons));
  }
  std::string text = fmt::format("{} on {}:\n", SyscallLabel(call), Name(call.arch));
  for (const CallRules::Rule& rule : rules.rules()) {
    text += Text(rule, options.subject, profile, reasons);
  }
  const bool always = std::ranges::any_of(
      rules.rules(), [](const CallRules::Rule& rule) { return rule.conditions.empty(); });
  if (!always) {
    text += fmt::format("  {}: {}, the default action\n",
                        rules.rules().empty() ? "no rule" : "otherwise",
                        Describe(rules.default_action()));
  }
  return text;
}

/// What all of a policy leaves open.
int ExplainSurface(const ExplainOptions& options, const ResolvedProfile& profile) {
  Expected<AttackSurface> surface = MeasureAttackSurface(profile.policy);
  if (!surface) {
    return ReportError(surface.error());
  }
  const auto program = CompileSeccomp(profile.policy);
  if (program) {
    surface->filter = MeasureBpf(*program);
  } else {
    ReportWarning(program.error().WithContext("no filter was made of it").message);
  }
  if (options.json) {
    return PrintDocument(AttackSurfaceJson(*surface) + "\n", kOk);
  }
  std::string text;
  for (const std::string& phrase : DescribeAttackSurface(*surface)) {
    text += phrase + "\n";
  }
  for (const OpenGroup& group : surface->open_groups) {
    text += fmt::format("  {}, by {}: {}\n", group.group, Join(group.calls, ", "), group.reason);
  }
  return PrintDocument(text, kOk);
}

/// A type, or a path, of a bundle's SELinux part.
int ExplainTypeOrPath(const ExplainOptions& options) {
  const Expected<std::string> text =
      ExplainSelinux(options.input, options.subject,
                     options.json ? ExplanationForm::kJson : ExplanationForm::kText);
  if (!text) {
    return ReportInputError(text.error());
  }
  if (text->empty()) {
    return PrintDocument(
        fmt::format("{}: nothing in the policy names it\n", Quote(options.subject)), kAnswerIsNo);
  }
  return PrintDocument(*text, kOk);
}

/// Is `subject` for the SELinux part of a bundle?
bool IsTypeOrPath(const ExplainOptions& options) {
  std::error_code ignored;
  return std::filesystem::is_directory(options.input, ignored) &&
         (options.subject.ends_with("_t") || options.subject.starts_with('/'));
}

int ExplainPolicy(const ExplainOptions& options, const ResolvedProfile& profile) {
  ReportNotes(options.input, profile, options.context);
  if (options.subject.empty()) {
    return ExplainSurface(options, profile);
  }
  const Expected<PolicyReasons> reasons = LoadReasons(options.input);
  if (!reasons) {
    return ReportInputError(reasons.error());
  }
  if (!IsSyscallName(options.subject)) {
    return ReportInputError(InvalidInput(fmt::format(
        "{} is no system call: a seccomp policy is about those, and only a policy folder also "
        "about SELinux types (NAME_t) and paths",
        Quote(options.subject))));
  }
  std::string text;
  for (const Architecture arch : profile.policy.architectures) {
    if (const auto number = SyscallNumber(arch, options.subject)) {
      text += ExplainCall(options, profile, *reasons, {arch, *number});
    }
  }
  if (text.empty()) {
    text = fmt::format("{}: no architecture of the policy has it\n", options.subject);
  }
  return PrintDocument(text, kOk);
}

int Explain(const ExplainOptions& options) {
  if (IsTypeOrPath(options)) {
    return ExplainTypeOrPath(options);
  }
  if (options.json && !options.subject.empty()) {
    return ReportInputError(InvalidInput(
        "--json is for all of a policy, or for a SELinux type or a path of a policy folder"));
  }
  const Expected<ProfileContext> context = MakeProfileContext(options.context);
  if (!context) {
    return ReportError(context.error());
  }
  const Expected<PolicyOrRecording> input = LoadPolicyOrRecording(options.input, *context);
  if (!input) {
    return ReportInputError(input.error());
  }
  if (const auto* profile = std::get_if<ResolvedProfile>(&*input)) {
    return ExplainPolicy(options, *profile);
  }
  if (options.subject.empty()) {
    return ReportInputError(InvalidInput(
        fmt::format("{} is a recording: name a call or a file of it", Quote(options.input))));
  }
  const std::string text = ExplainRecording(std::get<Recording>(*input), options.subject);
  if (text.empty()) {
    return PrintDocument(fmt::format("{}: not seen\n", Quote(options.subject)), kAnswerIsNo);
  }
  return PrintDocument(text, kOk);
}

}  // namespace

void AddExplainCommand(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand(
      "explain",
      "Say what a policy leaves open; what it answers to a call and why; or what a recording saw");
  const auto options = std::make_shared<ExplainOptions>();
  command->add_option("INPUT", options->input, "A policy folder, a seccomp profile, or a recording")
      ->required();
  command->add_option(
      "CALL", options->subject,
      "A system call by its name; of a recording also a file by its path, of a policy folder also "
      "a SELinux type or a path (default: all of a policy, in numbers)");
  command->add_flag("--json", options->json,
                    "Print JSON: the numbers of a policy, or a SELinux type or path");
  command
      ->add_option("ARGUMENT", options->arguments,
                   "The call's arguments, numbers: only the rule that decides about them is shown")
      ->expected(0, 6);
  AddProfileContextOptions(*command, options->context);
  command->callback([options, &exit_code] { exit_code = Explain(*options); });
}

}  // namespace cordon::cli
