#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/unique_fd.h"
#include "model/recording.h"
#include "observe/file_name.h"

namespace cordon {

/// Whether the last component of a path is followed when it is a symbolic link.
enum class FinalLink : std::uint8_t { kFollow, kKeep };

/// Whose eyes a path is resolved with.
struct PathContext {
  pid_t task = 0;           ///< any task that shares root and working directory with the caller
  pid_t innermost_pid = 0;  ///< ProcessStatus::innermost_pid: what /proc/self leads to for it
  std::string root = "/";   ///< readlink of /proc/TASK/root
};

struct PathRequest {
  std::optional<int> directory_fd;  ///< nothing: the working directory
  std::string_view path;
  FinalLink final_link = FinalLink::kFollow;
};

/// A directory searched or a link followed.
struct PathStep {
  FileKey key;
  std::uint32_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

struct ResolvedPath {
  FileKey key;                ///< canonical; for a missing file its would-be name, with class kFile
  int sys_errno = 0;          ///< 0: exists; ENOENT, ENOTDIR, ELOOP …: why the look-up would fail
  bool parent_exists = true;  ///< false when a directory on the way is missing
  struct stat status{};       ///< all zero when it does not exist
  std::vector<PathStep> steps;  ///< in the order of the walk; no directory twice in a row

  bool exists() const { return sys_errno == 0; }

  /// The directory that holds the last component.
  std::string parent() const;
};

/// Walks paths the way the kernel walks them for another task (path_resolution(7)): component by
/// component with O_PATH descriptors, from its own root and working directory, so chroots, mount
/// namespaces and symbolic links come out as they do for it. Between this walk and the kernel's,
/// another process may change what a name means: where a descriptor comes out of the call, ask that
/// instead (DescribeOpenFile).
class PathResolver {
 public:
  PathResolver(PathContext context, const IsWorkloadTask& is_workload_task)
      : context_(std::move(context)), is_workload_task_(is_workload_task) {}

  /// Fails only when the walk cannot be made at all: the task is gone (kNotFound), its root or
  /// directory may not be entered (kPermission). A path that leads nowhere is a result with
  /// sys_errno.
  Expected<ResolvedPath> Resolve(const PathRequest& request) const;

  /// What the same walk comes to, as an O_PATH descriptor; nothing where the path leads nowhere.
  /// Opening a resolved name again would be a walk of the kernel's, for which an absolute link that
  /// was put there meanwhile leads out of the task's root. Fails as Resolve() does.
  Expected<UniqueFd> Open(const PathRequest& request) const;

 private:
  PathContext context_;
  const IsWorkloadTask& is_workload_task_;
};

}  // namespace cordon
