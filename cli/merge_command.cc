#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/load_input.h"
#include "cli/load_seccomp_policy.h"
#include "cli/print_document.h"
#include "cli/recording_destination.h"
#include "cli/report_error.h"
#include "common/text.h"
#include "model/merge_policies.h"
#include "model/recording_json.h"

namespace cordon::cli {
namespace {

struct MergeOptions {
  std::vector<std::string> inputs;
  std::string output;
  ProfileContextOptions context;
  bool intersect = false;
};

/// What was read so far: recordings are merged one by one, and not kept.
struct Inputs {
  Recording recording;
  std::vector<SeccompPolicy> policies;
  std::string first_recording;
  std::string first_policy;
};

Status Add(const MergeOptions& options, const std::string& path, const ProfileContext& context,
           Inputs& inputs) {
  ASSIGN_OR_RETURN(PolicyOrRecording input, LoadPolicyOrRecording(path, context));
  if (const auto* recording = std::get_if<Recording>(&input)) {
    inputs.recording.Merge(*recording);
    inputs.first_recording = inputs.first_recording.empty() ? path : inputs.first_recording;
  } else {
    auto& profile = std::get<ResolvedProfile>(input);
    ReportNotes(path, profile, options.context);
    inputs.policies.push_back(std::move(profile.policy));
    inputs.first_policy = inputs.first_policy.empty() ? path : inputs.first_policy;
  }
  if (!inputs.first_recording.empty() && !inputs.first_policy.empty()) {
    return Fail(InvalidInput(fmt::format(
        "{} is a recording and {} is a policy: merge the recordings, or generate a policy from "
        "them first",
        Quote(inputs.first_recording), Quote(inputs.first_policy))));
  }
  if (options.intersect && !inputs.first_recording.empty()) {
    return Fail(InvalidInput(fmt::format("{} is a recording: --intersect is about policies",
                                         Quote(inputs.first_recording))));
  }
  return {};
}

Expected<std::string> MergedDocument(const MergeOptions& options, const Inputs& inputs) {
  if (inputs.policies.empty()) {
    return WriteRecording(inputs.recording);
  }
  ASSIGN_OR_RETURN(
      const MergedPolicy merged,
      MergePolicies(inputs.policies, options.intersect ? AnswerPreference::kMoreRestrictive
                                                       : AnswerPreference::kMorePermissive));
  for (const std::string& note : merged.notes) {
    ReportWarning(note);
  }
  return WriteSeccompPolicy(merged.policy);
}

int Merge(const MergeOptions& options) {
  const Expected<ProfileContext> context = MakeProfileContext(options.context);
  if (!context) {
    return ReportError(context.error());
  }
  Inputs inputs;
  for (const std::string& path : options.inputs) {
    if (const Status added = Add(options, path, *context, inputs); !added) {
      return ReportInputError(added.error());
    }
  }
  const Expected<std::string> document = MergedDocument(options, inputs);
  if (!document) {
    return ReportError(document.error());
  }
  if (options.output.empty()) {
    return PrintDocument(*document, kOk);
  }
  const Expected<RecordingDestination> destination = PrepareDestination(options.output, "");
  if (!destination) {
    return ReportInputError(destination.error());
  }
  if (const Status written = WriteTo(*destination, *document); !written) {
    return ReportInputError(written.error());
  }
  return kOk;
}

}  // namespace

void AddMergeCommand(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand(
      "merge",
      "Merge seccomp policies (every call gets the most permissive answer of all), or recordings");
  const auto options = std::make_shared<MergeOptions>();
  command
      ->add_option(
          "A", options->inputs,
          "Policy folders and seccomp profiles, or recordings; their order does not matter")
      ->required();
  command->add_option("-o,--output", options->output, "The file to write (default: stdout)");
  command->add_flag("--intersect", options->intersect,
                    "Every call gets the most restrictive answer of all");
  AddProfileContextOptions(*command, options->context);
  command->callback([options, &exit_code] { exit_code = Merge(*options); });
}

}  // namespace cordon::cli
