#include "runtime/cgroup_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string_view>

#include "common/file.h"
#include "common/text.h"

namespace cordon {
namespace {

constexpr std::size_t kControlFileLimit = 65536;
constexpr int kRemoveAttempts = 1000;
constexpr timespec kRemovePause{.tv_sec = 0, .tv_nsec = 10'000'000};

std::string ReadTrimmed(const std::string& path) {
  std::string text = ReadFile(path, kControlFileLimit).value_or("");
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  return text;
}

std::string FolderAbove(const std::string& folder) {
  return folder.substr(0, folder.rfind('/'));
}

/// A v1 cpuset begins empty, and its children cannot have what it has not (cpusets(7)).
Status InheritCpuset(const std::string& folder, const std::string& file, const std::string& root) {
  if (folder == root || !ReadTrimmed(folder + "/" + file).empty()) {
    return {};
  }
  const std::string above = FolderAbove(folder);
  RETURN_IF_ERROR(InheritCpuset(above, file, root));
  return WriteControl(folder + "/" + file, ReadTrimmed(above + "/" + file));
}

/// The first of the files in `names`, separated by '|', that is in `folder`.
std::optional<std::string> FileIn(const std::string& folder, const std::string& names) {
  for (const std::string& name : Split(names, '|')) {
    std::string path = Join({folder, name}, "/");
    if (::access(path.c_str(), F_OK) == 0) {
      return path;
    }
  }
  return std::nullopt;
}

/// What to write into a file of `text` so that `wanted`, written meanwhile, holds no more.
std::string ValueNow(const std::string& text, const std::string& wanted) {
  const std::vector<std::string> lines = Split(text, '\n');
  const std::string device = wanted.substr(0, wanted.find(' '));
  if (!device.contains(':')) {
    return lines.front() + "\n";  // of v2's cpuset.cpus nothing but that empties the list
  }
  const auto line = std::ranges::find_if(
      lines, [&](const std::string& one) { return one.starts_with(device + " "); });
  if (line != lines.end()) {
    return *line;
  }
  const std::size_t key = wanted.find('=');  // io.max; v1 has a number alone
  return key == std::string::npos ? device + " 0" : wanted.substr(0, key + 1) + "max";
}

Status WriteLimit(const std::string& folder, const CgroupStep& step,
                  const CgroupStep::Write& write) {
  if (step.version == CgroupVersion::kV1 && write.file.starts_with("cpuset.")) {
    RETURN_IF_ERROR(
        InheritCpuset(write.rule == CgroupStep::Rule::kAsParent ? folder : FolderAbove(folder),
                      write.file, step.root));
  }
  if (write.rule == CgroupStep::Rule::kAsParent) {
    return {};
  }
  const std::optional<std::string> path = FileIn(folder, write.file);
  if (!path) {
    return write.rule == CgroupStep::Rule::kWhereThere
               ? Status()
               : Fail(MakeError(ErrorCode::kUnsupported,
                                "this kernel has no " + write.file + " in " + folder));
  }
  Status written = WriteControl(*path, write.value);
  if (!written && written.error().sys_errno == EBUSY && write.file.starts_with("memory.")) {
    written.error().message += " (more is used now, and cannot be reclaimed)";
  }
  return written;
}

/// Makes `folder` and what is missing above it.
Status MakeFolders(const std::string& folder, const std::string& root) {
  if (folder == root || folder.size() <= root.size() || ::access(folder.c_str(), F_OK) == 0) {
    return {};
  }
  RETURN_IF_ERROR(MakeFolders(FolderAbove(folder), root));
  if (::mkdir(folder.c_str(), 0755) != 0) {
    const int mkdir_errno = errno;
    if (mkdir_errno != EEXIST) {
      return Fail(SystemError(mkdir_errno, "making the cgroup " + folder));
    }
  }
  return {};
}

/// Lets the children of `folder` have `controllers`, which its own parents have to let it have.
Status SwitchOn(const std::string& folder, const std::string& root,
                const std::vector<std::string>& controllers) {
  if (HasWords(folder + "/cgroup.subtree_control", controllers)) {
    return {};
  }
  if (folder != root && folder.size() > root.size() &&
      !HasWords(folder + "/cgroup.controllers", controllers)) {
    RETURN_IF_ERROR(SwitchOn(FolderAbove(folder), root, controllers));
  }
  return WriteControl(folder + "/cgroup.subtree_control", "+" + Join(controllers, " +"));
}

/// Whether processes are in `folder`, of v2, and it is not the root of all: children of such a one
/// can have none (cgroups(7), "no internal processes"; by controllers that are threaded it becomes
/// the root of threads, and they invalid).
bool HoldsProcesses(const std::string& folder) {
  return ::access((folder + "/cgroup.type").c_str(), F_OK) == 0 &&
         !ReadTrimmed(folder + "/cgroup.procs").empty();
}

Expected<std::string> NearestParent(const CgroupStep& step) {
  std::string folder = step.parent;
  Error last = MakeError(ErrorCode::kUnsupported, "the cgroup " + folder + " has no " +
                                                      Join(step.controllers, ", ") + " controller");
  while (true) {
    if (step.controllers.empty()) {
      return folder;
    }
    if (HoldsProcesses(folder)) {
      last = MakeError(
          ErrorCode::kUnsupported,
          "the cgroup " + folder + " has processes of its own, so none below it can be limited");
    } else if (HasWords(folder + "/cgroup.subtree_control", step.controllers)) {
      return folder;
    } else if (HasWords(folder + "/cgroup.controllers", step.controllers)) {
      const Status switched =
          WriteControl(folder + "/cgroup.subtree_control", "+" + Join(step.controllers, " +"));
      if (switched) {
        return folder;
      }
      last = switched.error();
    }
    if (folder == step.root || folder.size() <= step.root.size()) {
      return Fail(last);
    }
    folder = FolderAbove(folder);
  }
}

struct CloseDirectory {
  void operator()(DIR* directory) const { (void)::closedir(directory); }
};

void RemoveBelow(const std::string& folder) {
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(folder.c_str()));
  while (const dirent* const entry = directory ? ::readdir(directory.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") {
      RemoveCgroup(folder + "/" + std::string(name));
    }
  }
}

}  // namespace

Status WriteControl(const std::string& path, const std::string& value) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.valid()) {
    const int open_errno = errno;
    return Fail(SystemError(open_errno, "open " + path));
  }
  if (::write(file.get(), value.data(), value.size()) < 0) {
    const int write_errno = errno;
    return Fail(SystemError(write_errno, "writing '" + value + "' to " + path));
  }
  return {};
}

bool HasWords(const std::string& path, const std::vector<std::string>& words) {
  std::string line = ReadTrimmed(path);
  std::ranges::replace(line, '\n', ' ');
  const std::vector<std::string> present = Split(line, ' ');
  return std::ranges::all_of(words, [&](const std::string& word) {
    return std::ranges::find(present, word) != present.end();
  });
}

Status WriteLimits(const std::string& folder, const CgroupStep& step,
                   const std::vector<CgroupStep::Write>& writes) {
  std::vector<const CgroupStep::Write*> again;
  for (const CgroupStep::Write& write : writes) {
    Status written = WriteLimit(folder, step, write);
    if (!written && written.error().sys_errno == EINVAL && writes.size() > 1) {
      again.push_back(&write);
      continue;
    }
    RETURN_IF_ERROR(std::move(written));
  }
  for (const CgroupStep::Write* const write : again) {
    RETURN_IF_ERROR(WriteLimit(folder, step, *write));
  }
  return {};
}

std::vector<CgroupStep::Write> LimitsNow(const std::string& folder,
                                         const std::vector<CgroupStep::Write>& writes) {
  std::vector<CgroupStep::Write> now;
  for (const CgroupStep::Write& write : writes) {
    const std::optional<std::string> path = FileIn(folder, write.file);
    if (path && write.rule != CgroupStep::Rule::kAsParent) {
      now.push_back({write.file, ValueNow(ReadTrimmed(*path), write.value)});
    }
  }
  return now;
}

void EmptyCgroup(const std::string& folder) {
  for (const std::string& process : Split(ReadTrimmed(folder + "/cgroup.procs"), '\n')) {
    if (!process.empty()) {
      (void)WriteControl(FolderAbove(folder) + "/cgroup.procs", process);
    }
  }
}

Expected<std::string> PrepareParent(const CgroupStep& step) {
  if (step.placement == CgroupPlacement::kNearCaller) {
    return step.version == CgroupVersion::kV1 ? Expected<std::string>(step.parent)
                                              : NearestParent(step);
  }
  RETURN_IF_ERROR(MakeFolders(step.parent, step.root));
  if (step.version == CgroupVersion::kV2 && !step.controllers.empty()) {
    RETURN_IF_ERROR(SwitchOn(step.parent, step.root, step.controllers));
  }
  return step.parent;
}

Status FillCgroup(const std::string& folder, const std::function<std::vector<pid_t>()>& processes,
                  const std::function<Status(pid_t)>& move) {
  constexpr int kRounds = 100;
  for (int round = 0; round < kRounds; ++round) {
    const std::vector<std::string> inside = Split(ReadTrimmed(folder + "/cgroup.procs"), '\n');
    bool all = true;
    for (const pid_t process : processes()) {
      if (std::ranges::find(inside, std::to_string(process)) != inside.end()) {
        continue;
      }
      const Status moved = move(process);
      if (!moved && ::access(("/proc/" + std::to_string(process)).c_str(), F_OK) == 0) {
        return moved;
      }
      all = false;
    }
    if (all) {
      return {};
    }
  }
  return Fail(MakeError(ErrorCode::kLimit,
                        "the sandbox makes processes faster than they can be moved into the "
                        "cgroup " +
                            folder));
}

Status ReclaimFor(const std::string& folder, const std::vector<CgroupStep::Write>& writes) {
  const auto limit = std::ranges::find(writes, "memory.max", &CgroupStep::Write::file);
  if (limit == writes.end() || limit->value == "max") {
    return {};
  }
  const std::uint64_t wanted = ParseUnsigned(limit->value).value_or(0);
  const auto used = [&] {
    return ParseUnsigned(ReadTrimmed(folder + "/memory.current")).value_or(0);
  };
  if (const std::uint64_t now = used(); now > wanted) {
    // Linux 5.19; where it is missing, or does less, what is used is still too much.
    (void)WriteControl(folder + "/memory.reclaim", std::to_string(now - wanted));
  }
  if (const std::uint64_t now = used(); now > wanted) {
    return Fail(MakeError(ErrorCode::kLimit, "the sandbox uses " + std::to_string(now) +
                                                 " bytes of memory now, which cannot be reclaimed: "
                                                 "a limit of " +
                                                 limit->value + " would kill it"));
  }
  return {};
}

void RemoveCgroup(const std::string& folder) {
  for (int attempt = 0; attempt < kRemoveAttempts; ++attempt) {
    if (::rmdir(folder.c_str()) == 0 || errno != EBUSY) {
      return;
    }
    if (attempt == 0) {
      RemoveBelow(folder);
    }
    (void)::nanosleep(&kRemovePause, nullptr);
  }
}

}  // namespace cordon
