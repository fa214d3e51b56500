#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tracer/call_observer.h"
#include "tracer/recording_log.h"
#include "tracer/task_state.h"

/// Which capabilities a workload needs: ptrace cannot see the kernel's checks, so they are derived
/// from what succeeded, and only for a process that had the capability in cordon's own user
/// namespace. Access control lists are not looked at (docs/recording-format.md).
namespace cordon {

/// Permission bits of one class, as in a mode.
inline constexpr unsigned kWantRead = 4;
inline constexpr unsigned kWantWrite = 2;
inline constexpr unsigned kWantExecute = 1;

/// An inode to the kernel's discretionary checks.
struct Inode {
  std::string_view path;
  std::uint32_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

/// The capability without which `credentials` could not have had `want` of `inode`
/// (capabilities(7): CAP_DAC_READ_SEARCH for reading files and searching directories,
/// CAP_DAC_OVERRIDE otherwise); nothing when the mode bits grant it or the process has neither.
std::optional<std::string_view> DacCapability(const Credentials& credentials, const Inode& inode,
                                              unsigned want);

/// Takes down what DacCapability says of a process.
void NoteDacNeed(const Process& process, const Inode& inode, unsigned want, RecordingLog& log);

/// The rules for the calls of `frame.signature`'s effects, run when the call has succeeded. Some
/// compare with a value that BeforeCall read.
class CapabilityRules {
 public:
  explicit CapabilityRules(RecordingLog& log) : log_(log) {}

  void BeforeCall(const TaskState& task, CallFrame& frame) const;
  void AfterSuccess(const TaskState& task, const CallFrame& frame) const;

 private:
  /// Notes `name` if the process had it when it made the call.
  void Need(const TaskState& task, const CallFrame& frame, std::string_view name,
            std::string_view reason) const;

  void AfterBind(const TaskState& task, const CallFrame& frame) const;
  void AfterSocket(const TaskState& task, const CallFrame& frame) const;
  void AfterClone(const TaskState& task, const CallFrame& frame) const;
  void AfterCredentials(const TaskState& task, const CallFrame& frame) const;
  void AfterOwner(const TaskState& task, const CallFrame& frame) const;
  void AfterSetattr(const TaskState& task, const CallFrame& frame) const;
  void AfterMakeNode(const TaskState& task, const CallFrame& frame) const;
  void AfterKill(const TaskState& task, const CallFrame& frame) const;
  void AfterLimit(const TaskState& task, const CallFrame& frame) const;
  void AfterPriority(const TaskState& task, const CallFrame& frame) const;
  void AfterPrctl(const TaskState& task, const CallFrame& frame) const;
  void AfterIoctl(const TaskState& task, const CallFrame& frame) const;
  void AfterSocketOption(const TaskState& task, const CallFrame& frame) const;

  RecordingLog& log_;
};

}  // namespace cordon
