#pragma once

#include "tracer/call_observer.h"
#include "tracer/file_lookup.h"
#include "tracer/recording_log.h"
#include "tracer/task_state.h"

namespace cordon {

/// What calls do with sockets.
class SocketRules {
 public:
  SocketRules(RecordingLog& log, FileLookup& lookup) : log_(log), lookup_(lookup) {}

  /// Reads addresses. Answers whether the result is needed.
  ExitInterest Before(TaskState& task, CallFrame& frame);
  void After(TaskState& task, CallFrame& frame, CallResult result);

 private:
  void ReadAddress(TaskState& task, CallFrame& frame);
  void ReadFurtherAddresses(const TaskState& task, CallFrame& frame);
  void NotePath(TaskState& task, const CallFrame& frame, CallResult result);

  RecordingLog& log_;
  FileLookup& lookup_;
};

}  // namespace cordon
