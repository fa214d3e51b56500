#include "cli/report_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/print_document.h"
#include "cli/read_policy_folder.h"
#include "cli/report_error.h"
#include "common/file.h"
#include "common/text.h"
#include "generator/report/report.h"
#include "model/recording_json.h"

namespace cordon::cli {
namespace {

constexpr std::size_t kMostOfAKind = 2;

struct ReportOptions {
  std::vector<std::string> inputs;
  std::string output;
};

struct LoadedRecording {
  std::string name;
  Recording recording;
};

struct LoadedBundle {
  std::string name;
  std::string folder;
  std::map<std::string, std::string> files;
};

/// What the inputs are, in their order.
struct Inputs {
  std::deque<LoadedRecording> recordings;
  std::deque<LoadedBundle> bundles;
};

/// "nginx" of "/srv/nginx.recording.json" and "out/nginx.policy/".
std::string NameOf(const std::string& path, std::string_view ending) {
  std::filesystem::path trimmed = path;
  if (!trimmed.has_filename()) {
    trimmed = trimmed.parent_path();
  }
  std::string name = trimmed.filename().string();
  if (name.ends_with(ending) && name.size() > ending.size()) {
    name.resize(name.size() - ending.size());
  }
  return name;
}

Status Load(const std::string& path, Inputs& inputs) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    ASSIGN_OR_RETURN(auto files, ReadPolicyFolder(path));
    inputs.bundles.push_back({NameOf(path, ".policy"), path, std::move(files)});
    return {};
  }
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxRecordingBytes));
  if (!IsRecording(text)) {
    return Fail(InvalidInput(fmt::format(
        "{}: neither a recording nor a policy folder: a report is about these", Quote(path))));
  }
  ASSIGN_OR_RETURN(Recording recording, ReadRecording(text, Quote(path)));
  inputs.recordings.push_back({NameOf(path, ".recording.json"), std::move(recording)});
  return {};
}

/// One subject or two: recordings and policies side by side, or a recording with its policy.
Expected<std::vector<ReportSubject>> SubjectsOf(const Inputs& inputs) {
  const std::size_t recordings = inputs.recordings.size();
  const std::size_t bundles = inputs.bundles.size();
  if (recordings > kMostOfAKind || bundles > kMostOfAKind) {
    return Fail(
        InvalidInput("a report is about two recordings and two policies at most: merge further "
                     "recordings with cordon merge"));
  }
  if (recordings != 0 && bundles != 0 && recordings != bundles) {
    return Fail(
        InvalidInput("two recordings with one policy, or two policies with one recording, are no "
                     "pairs: give two of each, or two of a kind"));
  }
  std::vector<ReportSubject> subjects(std::max(recordings, bundles));
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    ReportSubject& subject = subjects[i];
    if (i < recordings) {
      subject.name = inputs.recordings[i].name;
      subject.recording = &inputs.recordings[i].recording;
    }
    if (i < bundles) {
      subject.name = inputs.bundles[i].name;
      subject.source = inputs.bundles[i].folder;
      subject.bundle = &inputs.bundles[i].files;
    }
  }
  return subjects;
}

int Report(const ReportOptions& options) {
  Inputs inputs;
  for (const std::string& path : options.inputs) {
    if (const Status loaded = Load(path, inputs); !loaded) {
      return ReportInputError(loaded.error());
    }
  }
  const Expected<std::vector<ReportSubject>> subjects = SubjectsOf(inputs);
  if (!subjects) {
    return ReportInputError(subjects.error());
  }
  const Expected<std::string> page = WriteReport(*subjects);
  if (!page) {
    return ReportError(page.error());
  }
  if (options.output == "-") {
    return PrintDocument(*page, kOk);
  }
  const std::string output =
      options.output.empty() ? subjects->front().name + ".report.html" : options.output;
  if (const Status written = WriteFileAtomically(output, *page); !written) {
    return ReportInputError(written.error());
  }
  PrintLine(fmt::format("wrote {}: open it in a browser", Quote(output)));
  return kOk;
}

}  // namespace

void AddReportCommand(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand(
      "report", "Write a page for people: what was learned, what a policy allows, and why");
  auto options = std::make_shared<ReportOptions>();
  command
      ->add_option(
          "INPUT", options->inputs,
          "A recording, a policy folder, or both; two recordings or two policy folders (or "
          "two of each) are set side by side")
      ->required();
  command->add_option("-o,--output", options->output,
                      "The file to write (default: NAME.report.html); - is standard output");
  command->footer(
      "The page is one HTML file that needs neither network nor other files. It begins with the "
      "verdict:\n"
      "is the recording complete and saturated, does the policy hold what was recorded, what "
      "remains open.");
  command->callback([options, &exit_code] { exit_code = Report(*options); });
}

}  // namespace cordon::cli
