#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/load_seccomp_policy.h"
#include "cli/report_error.h"
#include "common/text.h"
#include "model/recorded_calls.h"
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

int Compare(const CompareOptions& options, AnswerRelation relation) {
  const Expected<ProfileContext> context = MakeProfileContext(options.context);
  if (!context) {
    return ReportError(context.error());
  }
  const Expected<ResolvedProfile> left = LoadSeccompPolicy(options.left, *context);
  if (!left) {
    return ReportInputError(left.error());
  }
  const Expected<ResolvedProfile> right = LoadSeccompPolicy(options.right, *context);
  if (!right) {
    return ReportInputError(right.error());
  }
  ReportNotes(options.left, *left, options.context);
  ReportNotes(options.right, *right, options.context);
  const Expected<std::vector<AnswerDifference>> found =
      FindDifferences(left->policy, right->policy, relation);
  if (!found) {
    return ReportError(found.error());
  }
  (void)std::fputs(
      (options.json ? AsJson(options, *found) : AsText(options, *found, relation)).c_str(), stdout);
  return found->empty() ? kOk : kAnswerIsNo;
}

void AddCompareCommand(CLI::App& app, int& exit_code, const std::string& name,
                       const std::string& description, AnswerRelation relation) {
  CLI::App* command = app.add_subcommand(name, description);
  const auto options = std::make_shared<CompareOptions>();
  command->add_option("A", options->left, "A policy folder or a seccomp profile")->required();
  command->add_option("B", options->right, "The same")->required();
  command->add_flag("--json", options->json, "Print JSON");
  AddProfileContextOptions(*command, options->context);
  command->callback([options, relation, &exit_code] { exit_code = Compare(*options, relation); });
}

}  // namespace

void AddDiffCommand(CLI::App& app, int& exit_code) {
  AddCompareCommand(
      app, exit_code, "diff",
      "Compare two seccomp policies exactly: exit 1 when any call gets another answer",
      AnswerRelation::kDiffers);
}

void AddSubsetCommand(CLI::App& app, int& exit_code) {
  AddCompareCommand(app, exit_code, "subset",
                    "Does B admit all that A admits? Exit 1, with the calls, when it does not",
                    AnswerRelation::kLeftIsLarger);
}

}  // namespace cordon::cli
