#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tracer/attach.h"
#include "tracer/call_observer.h"
#include "tracer/capability_rules.h"
#include "tracer/file_lookup.h"
#include "tracer/file_rules.h"
#include "tracer/process_rules.h"
#include "tracer/recording_log.h"
#include "tracer/resource_meter.h"
#include "tracer/run_watcher.h"
#include "tracer/socket_rules.h"
#include "tracer/task_state.h"

namespace cordon {

/// Turns what a session reports into a recording. What it asks to see does not depend on the tier,
/// so neither does what it records.
///
/// The result of a call matters to a policy until the call has succeeded: from then on it must be
/// allowed, whatever comes later. So the exit of a call is asked for while (call, argument tuple)
/// has not succeeded yet, and of calls on names, sockets and processes every time, because there
/// each result says something of its own.
class CallRecorder final : public CallObserver {
 public:
  CallRecorder();

  /// `root`: the workload's first task, stopped before its first execve(2).
  void Begin(pid_t root);

  /// The tasks run already: what they have open and mapped is taken down as theirs.
  void BeginAttached(const std::vector<AttachedTask>& tasks);

  /// Everything seen from now on is of phase kServe, also what was seen before and happens again.
  void BeginServing();

  /// The first listen(2) that succeeds begins it, or, of a process that was attached to, a socket
  /// that listens already.
  void ServeOnListen() { serve_on_listen_ = true; }

  /// Calls back when what is known begins anew.
  void OnBeginServing(std::function<void()> callback) { on_begin_serving_ = std::move(callback); }

  /// Calls back before a task writes to the terminal that is cordon's standard error: does what it
  /// writes end a line?
  void OnTerminalOutput(std::function<void(OutputEnd)> callback);

  std::optional<std::uint64_t> serving_ms() const { return log_.serving_ms(); }

  /// See RecordingLog::LeaveOut.
  void LeaveOut(std::string address) { log_.LeaveOut(std::move(address)); }

  void OnBegin(pid_t id) override { Begin(id); }

  ExitInterest OnEntry(pid_t id, const SyscallInvocation& invocation) override;
  void OnExit(pid_t id, CallResult result) override;
  void OnDescriptor(pid_t id, int fd, std::uint32_t identity) override;
  std::vector<std::pair<int, std::uint32_t>> DescriptorsOf(pid_t id) override;
  Repetition RepetitionOf(pid_t id) override;
  bool OpensProcessStatus(pid_t id) override;
  void OnNewTask(pid_t parent, pid_t child, std::uint64_t clone_flags) override;
  void OnExec(pid_t former, pid_t id) override;
  void OnExiting(pid_t id) override;
  void OnEnd(pid_t id, const Outcome& outcome) override;
  void OnLimitation(const std::string& kind, const std::string& detail) override;

  /// The thread groups that are alive.
  std::set<pid_t> Processes() const;

  /// What was taken down so far, for those who watch.
  const RecordingLog& log() const { return log_; }

  /// Everything recorded, without runs. Call once, at the end.
  Recording Take();

  const std::set<Limitation>& limitations() const { return log_.limitations(); }

 private:
  TaskState* Find(pid_t id);
  TaskState& Create(pid_t id);
  void RememberId(pid_t id);
  void NoteResult(CallFrame& frame, std::optional<int> sys_errno);
  void Sample();
  void TellOfOutput(TaskState& task, const CallFrame& frame);
  bool IsKnown(const CallFrame& frame) const;
  Repetition RepetitionIn(TaskState& task, const CallFrame& frame);
  Repetition RepetitionAfter(TaskState& task, const CallFrame& frame, CallResult result);
  bool FollowsFromParts(TaskState& task, const CallFrame& frame);

  RecordingLog log_;
  /// By id, whether a task of the workload ever had it: paths in /proc outlive them. Ids end at
  /// 2^22 (PID_MAX_LIMIT; proc(5), pid_max).
  std::vector<bool> seen_ids_;
  FileLookup lookup_;
  FileRules files_;
  SocketRules sockets_;
  ProcessRules processes_;
  CapabilityRules capabilities_;
  ResourceMeter meter_;
  std::unordered_map<pid_t, TaskState> tasks_;
  bool serve_on_listen_ = false;
  std::function<void(OutputEnd)> on_terminal_output_;
  std::function<void()> on_begin_serving_;
  pid_t last_entered_ = 0;
  pid_t opens_status_ = 0;      ///< the task that entered a call last, if that opens such a file
  Repetition last_repetition_;  ///< of the call that that task entered
  dev_t terminal_ = 0;
  /// Calls, with their arguments, that have succeeded since serving began.
  std::map<const SyscallObservation*, std::set<ArgumentTuple>> succeeded_serving_;
};

}  // namespace cordon
