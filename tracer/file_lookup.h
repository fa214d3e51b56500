#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "observe/process_memory.h"
#include "tracer/path_cache.h"
#include "tracer/recording_log.h"
#include "tracer/task_state.h"

namespace cordon {

/// Whether an earlier walk of the same path will do.
enum class Freshness : std::uint8_t { kRemembered, kFresh };

/// From the names and numbers that calls carry to files, for stopped tasks.
class FileLookup {
 public:
  FileLookup(RecordingLog& log, IsWorkloadTask is_workload_task)
      : log_(log), is_workload_task_(std::move(is_workload_task)) {}

  /// Fills `frame.files` from the call's roles, and takes down the directories searched and the
  /// links followed. A name that cannot be read gives an entry without a path.
  void NameFiles(TaskState& task, CallFrame& frame, Freshness freshness);

  /// The file of an open descriptor; nothing when it is not open.
  Descriptor* DescriptorOf(TaskState& task, int fd);

  /// What the socket of a descriptor is; nothing when it is none.
  std::optional<SocketIdentity> SocketOf(TaskState& task, int fd);

  /// Which file, pipe, device or socket a descriptor is, as far as a recording tells them apart:
  /// the same number for the same name, kind and way of writing, or for sockets of one kind; 0 when
  /// it is not open. The same for the whole run.
  std::uint32_t IdentityOf(TaskState& task, int fd);

  /// A descriptor that a call just gave out stands for what `named` named: the kernel's own answer,
  /// /proc/PID/fd. Nothing when it was closed again already.
  Descriptor* NoteOpened(TaskState& task, int fd, const NamedFile& named);

  /// Resolves a path for `task` by itself (a socket's, an interpreter's).
  Expected<ResolvedPath> Resolve(TaskState& task, std::string_view path, FinalLink final_link);

  /// Takes down what was walked through.
  void NoteSteps(const TaskState& task, const std::vector<PathStep>& steps);

  PathResolver ResolverFor(const TaskState& task) const;

  const IsWorkloadTask& is_workload_task() const { return is_workload_task_; }

  /// Names may mean something else from now on.
  void Forget() { cache_.Clear(); }

  /// The task's working directory changed.
  static void ForgetWorkingDirectory(TaskState& task) { task.view->working_directory.clear(); }

  /// The task's root or mount namespace changed.
  void ForgetRoot(TaskState& task);

 private:
  /// A path as a call carries it.
  struct PathArgument {
    std::uint64_t address = 0;
    std::optional<int> directory_fd;
    std::uint64_t at_flags = 0;
    FinalLink final_link = FinalLink::kFollow;
  };

  NamedFile NamePath(TaskState& task, const ProcessMemory& memory, const PathArgument& argument,
                     Freshness freshness);
  const std::string& WorkingDirectory(TaskState& task);
  std::string CacheKey(TaskState& task, const PathRequest& request);
  NamedFile Lookup(TaskState& task, const PathRequest& request, Freshness freshness);

  RecordingLog& log_;
  IsWorkloadTask is_workload_task_;
  PathCache cache_;
  std::uint64_t next_identity_ = 1;
  std::unordered_map<std::string, std::uint32_t> identities_;
};

}  // namespace cordon
