#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/recording_destination.h"
#include "common/error.h"
#include "common/unique_fd.h"
#include "model/outcome.h"
#include "model/serving_when.h"
#include "runtime/audit_recorder.h"
#include "runtime/violation.h"

namespace cordon::cli {

/// What `run` keeps of violations beside the lines on standard error: a file of JSON lines, and of
/// an audit a recording.
class ViolationLog {
 public:
  struct Options {
    std::string recording;    ///< empty: none
    std::string report_file;  ///< empty: none
    std::vector<std::string> command;
    ServingWhen serving_when = ServingWhen::kNever;
    bool has_two_phases = false;  ///< the policy; what is seen while no boundary is watched for may
                                  ///< be of either then
  };

  /// Before anything runs: fails when a file cannot be written. What is open then must stay so, and
  /// the working directory may change.
  static Expected<ViolationLog> Open(Options options);

  /// Each kind of violation, once. Fails the first time that a line cannot be written; the lines
  /// after it are tried all the same.
  Status Report(const Violation& violation);
  /// Everything that an audit finds.
  void Note(const Violation& violation);
  void BeginServing();

  /// Writes the recording; returns a sentence about it, empty where there is none. Fails when it,
  /// or a line before, could not be written.
  Expected<std::string> Finish(const Outcome& outcome);

 private:
  Options options_;
  UniqueFd report_;
  bool torn_ = false;  ///< the last line is not whole
  Status reported_ = {};
  std::optional<RecordingDestination> destination_;
  std::optional<AuditRecorder> recorder_;
};

}  // namespace cordon::cli
