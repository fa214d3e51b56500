#pragma once

#include "tracer/call_observer.h"
#include "tracer/file_lookup.h"
#include "tracer/recording_log.h"
#include "tracer/task_state.h"

namespace cordon {

/// What calls do to processes: the programs they execute and who they run as.
class ProcessRules {
 public:
  ProcessRules(RecordingLog& log, FileLookup& lookup) : log_(log), lookup_(lookup) {}

  /// Reads what execve(2) is about to execute, while its names still mean what they meant.
  ExitInterest Before(TaskState& task, CallFrame& frame);
  void After(TaskState& task, CallFrame& frame, CallResult result);

  /// execve(2) succeeded in `task`, whose frame is that of the call.
  void AfterExec(TaskState& task);

  /// `task`, the first of its process that is known, ran before it was traced; `parent` is the
  /// process that made it, nothing when that one is not followed.
  void NoteRunning(TaskState& task, const Process* parent);

  /// Reads again who `task` is.
  void RefreshCredentials(TaskState& task);

 private:
  void NoteImage(const TaskState& task, const ExecutableImage& image);

  RecordingLog& log_;
  FileLookup& lookup_;
};

}  // namespace cordon
