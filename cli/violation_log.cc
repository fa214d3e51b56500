#include "cli/violation_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "common/file.h"
#include "common/text.h"
#include "model/errno_name.h"
#include "model/recording_json.h"
#include "runtime/file_policy.h"

namespace cordon::cli {
namespace {

using Json = nlohmann::ordered_json;

Json RulesJson(const Violation& violation) {
  Json rules = Json::object();
  if (!Admits(violation.answer)) {
    const Json seccomp = Json::parse(AllowingRule(violation.invocation), nullptr, false);
    rules["seccomp"] = seccomp.is_discarded() ? Json(AllowingRule(violation.invocation)) : seccomp;
  }
  for (const LandlockRule& rule : violation.missing) {
    rules["landlock"].push_back({{"path", ToUtf8(rule.path)}, {"access", rule.access}});
  }
  return rules;
}

PhaseSet PhasesOf(const ViolationLog::Options& options) {
  PhaseSet phases;
  phases.Add(Phase::kStart);
  if (options.has_two_phases) {
    phases.Add(Phase::kServe);
  }
  return phases;
}

}  // namespace

std::string ViolationJson(const Violation& violation) {
  timespec now{};
  (void)::clock_gettime(CLOCK_REALTIME, &now);
  Json json;
  json["time_ms"] = (std::int64_t{now.tv_sec} * 1000) + (now.tv_nsec / 1'000'000);
  json["enforcement"] = violation.enforcement == Enforcement::kAudit ? "audit" : "enforce";
  json["call"] = ToUtf8(violation.call);
  json["name"] = SyscallLabel(violation.invocation.call);
  json["arch"] = Name(violation.invocation.call.arch);
  json["nr"] = violation.invocation.call.number;
  json["arguments"] = violation.invocation.arguments;
  json["errno"] = ErrnoName(Admits(violation.answer) ? violation.file_errno
                                                     : static_cast<int>(violation.answer.data));
  json["phase"] = violation.phase == Phase::kServe ? "serve" : "start";
  json["only_start_may"] = violation.of_the_start;
  json["thread"] = violation.thread;
  json["processes"] = Json::array();
  for (const ProcessLink& link : violation.chain) {
    json["processes"].push_back({{"pid", link.process},
                                 {"command", ToUtf8(link.command)},
                                 {"executable", ToUtf8(link.executable)}});
  }
  for (const FileUse& use : violation.files) {
    std::vector<std::string> access;
    for (const FileAccess one : use.access.List()) {
      access.emplace_back(Name(one));
    }
    json["files"].push_back(
        {{"path", ToUtf8(use.key.path)}, {"class", Name(use.key.file_class)}, {"access", access}});
  }
  json["rules"] = RulesJson(violation);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

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
