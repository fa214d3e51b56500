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
#include "common/file.h"
#include "common/text.h"
#include "model/avc_log.h"
#include "model/merge_policies.h"
#include "model/recording_json.h"

namespace cordon::cli {
namespace {

struct MergeOptions {
  std::vector<std::string> inputs;
  std::string files_from;
  std::vector<std::string> denials;
  std::string domain;
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

/// The lines of the list `path`; "-" is standard input.
Expected<std::vector<std::string>> ReadFileList(const std::string& path) {
  constexpr std::size_t kMaxListBytes = std::size_t{256} << 20;
  ASSIGN_OR_RETURN(const std::string text,
                   ReadFile(path == "-" ? "/dev/stdin" : path, kMaxListBytes));
  std::vector<std::string> files = Split(text, '\n');
  std::erase(files, "");
  return files;
}

/// What is to be merged, in the order in which it was named.
Expected<std::vector<std::string>> FindInputs(const MergeOptions& options) {
  std::vector<std::string> inputs = options.inputs;
  if (!options.files_from.empty()) {
    ASSIGN_OR_RETURN(const std::vector<std::string> listed, ReadFileList(options.files_from));
    inputs.insert(inputs.end(), listed.begin(), listed.end());
  }
  if (inputs.empty() && options.denials.empty()) {
    return Fail(InvalidInput(
        options.files_from.empty()
            ? "merge: no policy and no recording is named"
            : fmt::format("{} names no policy and no recording", Quote(options.files_from))));
  }
  return inputs;
}

/// Denials are a recording of what was refused.
Status AddDenials(const MergeOptions& options, const std::string& path, Inputs& inputs) {
  if (!inputs.first_policy.empty()) {
    return Fail(
        InvalidInput(fmt::format("{} is a policy: --avc adds to recordings, from which a "
                                 "policy is generated again",
                                 Quote(inputs.first_policy))));
  }
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxAvcLogBytes));
  ASSIGN_OR_RETURN(const Recording denials, ReadAvcLog(text, Quote(path), options.domain));
  for (const auto& [id, run] : denials.runs) {
    for (const Limitation& limitation : run.limitations) {
      if (limitation.kind == "denials-not-understood") {
        ReportWarning(fmt::format("{}: left out: {}", Quote(path), limitation.detail));
      }
    }
  }
  inputs.recording.Merge(denials);
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
  const Expected<std::vector<std::string>> paths = FindInputs(options);
  if (!paths) {
    return ReportInputError(paths.error());
  }
  Inputs inputs;
  for (const std::string& path : *paths) {
    if (const Status added = Add(options, path, *context, inputs); !added) {
      return ReportInputError(added.error());
    }
  }
  for (const std::string& path : options.denials) {
    if (const Status added = AddDenials(options, path, inputs); !added) {
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
  command->add_option(
      "A", options->inputs,
      "Policy folders and seccomp profiles, or recordings; their order does not matter");
  command
      ->add_option("-T,--files-from", options->files_from,
                   "Also those that FILE names, one on a line (-: standard input)")
      ->type_name("FILE");
  command
      ->add_option("--avc", options->denials,
                   "SELinux denials to add to the recordings: audit.log, what ausearch prints, or "
                   "the kernel's messages")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command
      ->add_option("--domain", options->domain,
                   "Whose denials to take (default: all, if they are of one domain)")
      ->type_name("NAME_t");
  command->add_option("-o,--output", options->output, "The file to write (default: stdout)");
  command->add_flag("--intersect", options->intersect,
                    "Every call gets the most restrictive answer of all");
  AddProfileContextOptions(*command, options->context);
  command->callback([options, &exit_code] { exit_code = Merge(*options); });
}

}  // namespace cordon::cli
