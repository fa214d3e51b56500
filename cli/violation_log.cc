#include "cli/violation_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "cli/violation_json.h"
#include "common/file.h"
#include "common/text.h"
#include "model/recording_json.h"

namespace cordon::cli {
namespace {

PhaseSet PhasesOf(const ViolationLog::Options& options) {
  PhaseSet phases;
  phases.Add(Phase::kStart);
  if (options.has_two_phases) {
    phases.Add(Phase::kServe);
  }
  return phases;
}

}  // namespace

Expected<ViolationLog> ViolationLog::Open(Options options) {
  ViolationLog log;
  if (!options.report_file.empty()) {
    log.report_.Reset(::open(options.report_file.c_str(),
                             O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666));
    if (!log.report_.valid()) {
      const int open_errno = errno;
      return Fail(SystemError(open_errno, "--report-file " + Quote(options.report_file)));
    }
  }
  if (!options.recording.empty()) {
    std::error_code ignored;
    const std::filesystem::path absolute = std::filesystem::absolute(options.recording, ignored);
    options.recording = absolute.empty() ? options.recording : absolute.string();
    ASSIGN_OR_RETURN(log.destination_, PrepareDestination(options.recording, ""));
    log.recorder_.emplace(options.command, options.serving_when, PhasesOf(options));
  }
  log.options_ = std::move(options);
  return log;
}

Status ViolationLog::Report(const Violation& violation) {
  if (!report_.valid()) {
    return {};
  }
  // One write per line: with O_APPEND several runs may share the file. A line that was cut off is
  // ended by the next one.
  const std::string line = (torn_ ? "\n" : "") + ViolationJson(violation);
  const ssize_t written = ::write(report_.get(), line.data(), line.size());
  const int write_errno = written < 0 ? errno : ENOSPC;
  if (written == static_cast<ssize_t>(line.size())) {
    torn_ = false;
    return {};
  }
  torn_ |= written > 0;
  const bool was_whole = reported_.has_value();
  reported_ = Fail(SystemError(
      write_errno, "--report-file " + Quote(options_.report_file) + " lacks violations: write"));
  return was_whole ? reported_ : Status();
}

void ViolationLog::Note(const Violation& violation) {
  if (recorder_) {
    recorder_->Note(violation);
  }
}

void ViolationLog::BeginServing() {
  if (recorder_) {
    recorder_->BeginServing();
  }
}

Expected<std::string> ViolationLog::Finish(const Outcome& outcome) {
  std::string sentence;
  if (recorder_ && destination_) {
    sentence =
        recorder_->empty()
            ? fmt::format("wrote {}: nothing was outside the policy", Quote(options_.recording))
            : fmt::format(
                  "wrote {}: {} calls and {} files outside the policy; cordon "
                  "generate with it and the recordings of the policy makes one that "
                  "allows them",
                  Quote(options_.recording), recorder_->call_count(), recorder_->file_count());
    RETURN_IF_ERROR(WriteTo(*destination_, WriteRecording(recorder_->Finish(outcome))));
  }
  RETURN_IF_ERROR(reported_);
  return sentence;
}

}  // namespace cordon::cli
