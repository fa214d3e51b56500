#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/load_input.h"
#include "cli/load_seccomp_policy.h"
#include "cli/print_document.h"
#include "cli/report_error.h"
#include "common/printable.h"
#include "common/text.h"
#include "model/recorded_calls.h"
#include "model/recording_comparison.h"
#include "model/seccomp_comparison.h"
#include "model/seccomp_names.h"

namespace cordon::cli {
namespace {

struct CompareOptions {
  std::string left;
  std::string right;
  ProfileContextOptions context;
  bool json = false;
};

std::string Line(const AnswerDifference& difference) {
  const bool always = difference.extent == AnswerDifference::Extent::kAllArguments;
  const Syscall call = difference.example.call;
  return fmt::format("  {}: {} -> {}\n",
                     always ? fmt::format("{} on {}", SyscallLabel(call), Name(call.arch))
                            : DescribeInvocation(difference.example),
                     Describe(difference.left), Describe(difference.right));
}

std::string AsJson(const CompareOptions& options, const std::vector<AnswerDifference>& found) {
  nlohmann::ordered_json document;
  document["left"] = ToUtf8(options.left);
  document["right"] = ToUtf8(options.right);
  document["differences"] = nlohmann::ordered_json::array();
  for (const AnswerDifference& difference : found) {
    const Syscall call = difference.example.call;
    nlohmann::ordered_json item;
    item["arch"] = Name(call.arch);
    item["nr"] = call.number;
    item["name"] = SyscallLabel(call);
    item["arguments"] = difference.example.arguments;
    item["left"] = Describe(difference.left);
    item["right"] = Describe(difference.right);
    item["for_all_arguments"] = difference.extent == AnswerDifference::Extent::kAllArguments;
    document["differences"].push_back(std::move(item));
  }
  return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string AsText(const CompareOptions& options, const std::vector<AnswerDifference>& found,
                   AnswerRelation relation) {
  const std::string left = Quote(options.left);
  const std::string right = Quote(options.right);
  if (found.empty()) {
    return relation == AnswerRelation::kDiffers
               ? fmt::format("{} and {} give every call the same answer\n", left, right)
               : fmt::format("{} admits nothing that {} does not\n", left, right);
  }
  std::string text =
      relation == AnswerRelation::kDiffers
          ? fmt::format("{} calls get different answers ({} -> {}), an example of each:\n",
                        found.size(), left, right)
          : fmt::format("{} calls get more from {} than from {}, an example of each:\n",
                        found.size(), left, right);
  for (const AnswerDifference& difference : found) {
    text += Line(difference);
  }
  return text;
}

/// Two recordings: what one saw and the other did not.
int CompareRecordings(const CompareOptions& options, const Recording& left, const Recording& right,
                      AnswerRelation relation) {
  const std::vector<std::string> only_left = MissingBehaviours(left, right);
  const std::vector<std::string> only_right = relation == AnswerRelation::kDiffers
                                                  ? MissingBehaviours(right, left)
                                                  : std::vector<std::string>{};
  std::string text;
  if (options.json) {
    nlohmann::ordered_json document;
    document["left"] = ToUtf8(options.left);
    document["right"] = ToUtf8(options.right);
    document["only_left"] = only_left;
    document["only_right"] = only_right;
    text = document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  } else if (only_left.empty() && only_right.empty()) {
    text = relation == AnswerRelation::kDiffers
               ? fmt::format("{} and {} saw the same\n", Quote(options.left), Quote(options.right))
               : fmt::format("{} saw nothing that {} did not\n", Quote(options.left),
                             Quote(options.right));
  } else {
    for (const auto& [sign, lines] : {std::pair('-', &only_left), std::pair('+', &only_right)}) {
      for (const std::string& line : *lines) {
        text += fmt::format("{} {}\n", sign, Printable(line));
      }
    }
  }
  return PrintDocument(text, only_left.empty() && only_right.empty() ? kOk : kAnswerIsNo);
}

int ComparePolicies(const CompareOptions& options, const ResolvedProfile& left,
                    const ResolvedProfile& right, AnswerRelation relation) {
  ReportNotes(options.left, left, options.context);
  ReportNotes(options.right, right, options.context);
  const Expected<std::vector<AnswerDifference>> found =
      FindDifferences(left.policy, right.policy, relation);
  if (!found) {
    return ReportError(found.error());
  }
  return PrintDocument(options.json ? AsJson(options, *found) : AsText(options, *found, relation),
                       found->empty() ? kOk : kAnswerIsNo);
}

int Compare(const CompareOptions& options, AnswerRelation relation) {
  const Expected<ProfileContext> context = MakeProfileContext(options.context);
  if (!context) {
    return ReportError(context.error());
  }
  const Expected<PolicyOrRecording> left = LoadPolicyOrRecording(options.left, *context);
  if (!left) {
    return ReportInputError(left.error());
  }
  const Expected<PolicyOrRecording> right = LoadPolicyOrRecording(options.right, *context);
  if (!right) {
    return ReportInputError(right.error());
  }
  if (left->index() != right->index()) {
    return ReportInputError(
        InvalidInput(fmt::format("{} and {}: one is a policy and the other a recording; cordon "
                                 "check compares those",
                                 Quote(options.left), Quote(options.right))));
  }
  if (const auto* recording = std::get_if<Recording>(&*left)) {
    return CompareRecordings(options, *recording, std::get<Recording>(*right), relation);
  }
  return ComparePolicies(options, std::get<ResolvedProfile>(*left),
                         std::get<ResolvedProfile>(*right), relation);
}

void AddCompareCommand(CLI::App& app, int& exit_code, const std::string& name,
                       const std::string& description, AnswerRelation relation) {
  CLI::App* command = app.add_subcommand(name, description);
  const auto options = std::make_shared<CompareOptions>();
  command->add_option("A", options->left, "A policy folder, a seccomp profile, or a recording")
      ->required();
  command->add_option("B", options->right, "The same")->required();
  command->add_flag("--json", options->json, "Print JSON");
  AddProfileContextOptions(*command, options->context);
  command->callback([options, relation, &exit_code] { exit_code = Compare(*options, relation); });
}

}  // namespace

void AddDiffCommand(CLI::App& app, int& exit_code) {
  AddCompareCommand(
      app, exit_code, "diff",
      "Compare two seccomp policies exactly, or two recordings: exit 1 when they differ",
      AnswerRelation::kDiffers);
}

void AddSubsetCommand(CLI::App& app, int& exit_code) {
  AddCompareCommand(
      app, exit_code, "subset",
      "Does B admit all that A admits, or hold all that recording A holds? Exit 1 when not",
      AnswerRelation::kLeftIsLarger);
}

}  // namespace cordon::cli
