#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "tracer/call_observer.h"
#include "tracer/file_lookup.h"
#include "tracer/recording_log.h"
#include "tracer/task_state.h"

namespace cordon {

/// What calls do to files. Before() runs at the entry of a call, where names still mean what they
/// meant; After() when its result is known. Which accesses a call makes was measured (research of
/// SELinux's checks on Linux 6.1).
class FileRules {
 public:
  FileRules(RecordingLog& log, FileLookup& lookup) : log_(log), lookup_(lookup) {}

  /// Reads names and descriptors. Answers whether the result is needed for more than the call's own
  /// statistics.
  ExitInterest Before(TaskState& task, CallFrame& frame);
  void After(TaskState& task, CallFrame& frame, CallResult result);

  /// Takes down a use of a descriptor, once per program.
  void NoteUse(TaskState& task, int fd, FileAccessSet access);

  /// What was noted must be noted again.
  void Forget() {
    written_.clear();
    ioctls_.clear();
  }

 private:
  using Rule = void (FileRules::*)(TaskState&, CallFrame&, CallResult);
  struct RuleRow;
  static const RuleRow* RuleFor(SyscallEffect effect);

  /// The calls that are told by their descriptor; nothing for others.
  std::optional<ExitInterest> BeforeDescriptorCall(TaskState& task, CallFrame& frame);
  ExitInterest BeforeTransfer(TaskState& task, const CallFrame& frame);
  ExitInterest BeforeMap(TaskState& task, const CallFrame& frame);
  static ExitInterest BeforeProtect(const TaskState& task, CallFrame& frame);
  bool IsNoted(TaskState& task, int fd, FileAccessSet access);
  bool IsIoctlNoted(TaskState& task, int fd, std::uint32_t request);
  void AddIoctl(const TaskState& task, Descriptor& descriptor, std::uint32_t request);
  void AddUse(const TaskState& task, Descriptor& descriptor, FileAccessSet use,
              FileAccessSet access);
  void Fail(const TaskState& task, const CallFrame& frame, int sys_errno);
  void EnsureCurrent(TaskState& task, CallFrame& frame, CallResult result);

  void AfterTransfer(TaskState& task, const CallFrame& frame);
  void AfterOpen(TaskState& task, CallFrame& frame, CallResult result);
  void AfterAttributes(TaskState& task, CallFrame& frame, CallResult result);
  void AfterUnlink(TaskState& task, CallFrame& frame, CallResult result);
  void AfterRename(TaskState& task, CallFrame& frame, CallResult result);
  void AfterLink(TaskState& task, CallFrame& frame, CallResult result);
  void AfterCreate(TaskState& task, CallFrame& frame, CallResult result);
  void AfterChangeDirectory(TaskState& task, CallFrame& frame, CallResult result);
  void AfterChangeRoot(TaskState& task, CallFrame& frame, CallResult result);
  void AfterTruncate(TaskState& task, CallFrame& frame, CallResult result);
  void AfterMount(TaskState& task, CallFrame& frame, CallResult result);
  void AfterWatch(TaskState& task, CallFrame& frame, CallResult result);
  void AfterMap(TaskState& task, CallFrame& frame, CallResult result);
  void AfterProtect(TaskState& task, CallFrame& frame, CallResult result);
  void AfterIoctl(TaskState& task, CallFrame& frame, CallResult result);
  void AfterControl(TaskState& task, CallFrame& frame, CallResult result);
  void AfterDescriptor(TaskState& task, CallFrame& frame, CallResult result);
  void AfterReceive(TaskState& task, CallFrame& frame, CallResult result);
  void NoteReceived(TaskState& task, const std::vector<int>& descriptors);
  void AfterPipe(TaskState& task, CallFrame& frame, CallResult result);

  void Note(const TaskState& task, const NamedFile& named, FileAccessSet access);
  void NoteNamedOrOpen(TaskState& task, const NamedFile& file, FileAccessSet access);
  void NoteParent(const TaskState& task, const ResolvedPath& path, FileAccessSet access);

  void Forget(TaskState& task, int fd) { task.descriptors->open.erase(fd); }

  RecordingLog& log_;
  FileLookup& lookup_;
  /// What a program wrote to and which requests it made, of any descriptor that is not told apart
  /// (FileLookup::IdentityOf()): another one's results add nothing, in whichever tier. With what
  /// writing was taken down as.
  std::map<std::pair<std::uint32_t, std::string>, FileAccessSet> written_;
  std::set<std::tuple<std::uint32_t, std::uint32_t, std::string>> ioctls_;
};

}  // namespace cordon
