#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>

#include "common/error.h"
#include "model/recording.h"

namespace cordon {

/// Is this process or thread id one of the workload's?
using IsWorkloadTask = std::function<bool(pid_t)>;

/// `path`, absolute, with the workload's own process ids taken out, so that two runs name a file
/// alike: /proc/PID -> /proc/self, /proc/PID/task/TID -> /proc/thread-self. Other paths are
/// unchanged.
std::string NormalizeProcPath(std::string_view path, const IsWorkloadTask& is_workload_task);

/// The text of a link in /proc/PID/fd as recordings name it: the number of "pipe:[123]" and its
/// like is dropped, "/memfd:NAME (deleted)" becomes "memfd:NAME", and " (deleted)" is cut off when
/// `links` (st_nlink) is 0. `root` is the root of the process as the reader sees it ("/" when they
/// share one): the kernel writes paths relative to the reader's root, recordings relative to the
/// process's.
std::string NormalizeLinkText(std::string_view text, nlink_t links, std::string_view root);

/// `path` as seen from inside `root`, an absolute path; unchanged when it is not beneath it.
std::string_view StripRoot(std::string_view path, std::string_view root);

/// The target of the symbolic link `path`, whatever its length up to 64 KiB.
Expected<std::string> ReadLinkText(const std::string& path);

/// What the kernel says of an open descriptor.
struct OpenFile {
  FileKey key;
  struct stat status{};
};

/// What `magic_link`, a link in /proc/PID/fd or /proc/PID/{cwd,exe,root}, leads to. Fails with
/// kNotFound when the descriptor is not open or the process is gone.
Expected<OpenFile> DescribeOpenFile(const std::string& magic_link, std::string_view root,
                                    const IsWorkloadTask& is_workload_task);

/// The same for a caller that has read the link already and got `text`.
Expected<OpenFile> DescribeOpenFile(const std::string& magic_link, std::string_view text,
                                    std::string_view root, const IsWorkloadTask& is_workload_task);

}  // namespace cordon
