#include "runtime/sandbox_cgroups.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <ranges>
#include <string_view>
#include <utility>

#include "common/file.h"
#include "common/text.h"

namespace cordon {
namespace {

constexpr std::size_t kControlFileLimit = 65536;
constexpr int kRemoveAttempts = 1000;
constexpr timespec kRemovePause{.tv_sec = 0, .tv_nsec = 10'000'000};

/// A cgroup's control file takes one write(2) per setting; WriteFileAtomically would try to replace
/// it.
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
  const Expected<std::string> text = ReadFile(path, kControlFileLimit);
  if (!text) {
    return false;
  }
  std::string line = *text;
  std::ranges::replace(line, '\n', ' ');
  const std::vector<std::string> present = Split(line, ' ');
  return std::ranges::all_of(words, [&](const std::string& word) {
    return std::ranges::find(present, word) != present.end();
  });
}

/// The nearest of `start` and the folders above it in which children have `controllers`, switching
/// them on where that is allowed. A v2 cgroup with processes of its own cannot have such children
/// (cgroups(7), "no internal processes"), so it is often a folder above the caller's.
Expected<std::string> FindV2Parent(const std::string& start,
                                   const std::vector<std::string>& controllers) {
  std::string folder = start;
  Error last = MakeError(ErrorCode::kUnsupported, "the cgroup " + start + " has no " +
                                                      Join(controllers, ", ") + " controller");
  while (HasWords(folder + "/cgroup.controllers", controllers)) {
    if (HasWords(folder + "/cgroup.subtree_control", controllers)) {
      return folder;
    }
    const Status switched =
        WriteControl(folder + "/cgroup.subtree_control", "+" + Join(controllers, " +"));
    if (switched) {
      return folder;
    }
    last = switched.error();
    folder.resize(folder.rfind('/'));
  }
  return Fail(last);
}

/// Rmdir until it works or the folder is gone: the kernel says EBUSY for a moment after the last
/// process died. Async-signal-safe.
void RemoveFolder(const char* folder) {
  for (int attempt = 0; attempt < kRemoveAttempts; ++attempt) {
    if (::rmdir(folder) == 0 || errno != EBUSY) {
      return;
    }
    (void)::nanosleep(&kRemovePause, nullptr);
  }
}

/// cgroups(7), "freezer"; Documentation/admin-guide/cgroup-v2.rst, cgroup.freeze.
std::string_view FreezeWord(CgroupVersion version) {
  return version == CgroupVersion::kV1 ? "FROZEN" : "1";
}

std::string_view ThawWord(CgroupVersion version) {
  return version == CgroupVersion::kV1 ? "THAWED" : "0";
}

/// Where `steps` may come to make a folder called `name`: of v2, also above (FindV2Parent).
std::vector<std::string> PossibleFolders(const std::vector<CgroupStep>& steps,
                                         const std::string& name) {
  std::vector<std::string> folders;
  for (const CgroupStep& step : steps) {
    std::string parent = step.parent;
    folders.push_back(Join({parent, name}, "/"));
    while (step.version == CgroupVersion::kV2 && !parent.empty()) {
      parent.resize(parent.rfind('/'));
      folders.push_back(Join({parent, name}, "/"));
    }
  }
  return folders;
}

void WriteIfThere(const std::string& path, std::string_view word) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  (void)!::write(file.get(), word.data(), word.size());
}

/// The helper: waits until the process behind the pidfd `owner` is gone, then removes what that one
/// could not. Not by a pipe's end: the sandbox's first process, which may be frozen, would hold it
/// too.
[[noreturn]] void RunRemover(int owner, const std::vector<std::string>& folders) {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  (void)::setsid();  // not in the terminal's process group: Ctrl-C is not for it
  (void)::prctl(PR_SET_NAME, "cordon-cleanup");
  if (::dup2(owner, 0) == 0) {
    (void)::close_range(1, ~0U, 0);
  }
  pollfd wait{0, POLLIN, 0};
  while (::poll(&wait, 1, -1) < 0 && errno == EINTR) {
  }
  for (const std::string& folder : folders) {
    // What is frozen does not even die of its parent's death.
    WriteIfThere(folder + "/freezer.state", ThawWord(CgroupVersion::kV1));
    WriteIfThere(folder + "/cgroup.freeze", ThawWord(CgroupVersion::kV2));
  }
  for (const std::string& folder : folders) {
    RemoveFolder(folder.c_str());
  }
  ::_exit(0);
}

bool MayBeLeftOut(const Error& error) {
  return error.code == ErrorCode::kPermission || error.code == ErrorCode::kUnsupported ||
         error.sys_errno == EROFS || error.sys_errno == EBUSY;
}

}  // namespace

SandboxCgroups::SandboxCgroups(SandboxCgroups&& other) noexcept
    : folders_(std::exchange(other.folders_, {})),
      task_files_(std::exchange(other.task_files_, {})),
      v2_folder_(std::move(other.v2_folder_)),
      freezer_version_(other.freezer_version_),
      freezer_(std::move(other.freezer_)),
      frozen_(std::exchange(other.frozen_, false)),
      remover_(std::exchange(other.remover_, -1)) {}

SandboxCgroups::~SandboxCgroups() {
  Remove();
}

void SandboxCgroups::Remove() noexcept {
  if (frozen_) {
    (void)Thaw();
  }
  freezer_.Reset();
  for (const std::string& folder : std::views::reverse(folders_)) {
    RemoveFolder(folder.c_str());
  }
  folders_.clear();
  if (remover_ > 0) {
    (void)::kill(remover_, SIGKILL);
    while (::waitpid(remover_, nullptr, 0) < 0 && errno == EINTR) {
    }
    remover_ = -1;
  }
}

std::vector<int> SandboxCgroups::task_files() const {
  std::vector<int> fds;
  fds.reserve(task_files_.size());
  for (const UniqueFd& file : task_files_) {
    fds.push_back(file.get());
  }
  return fds;
}

Status SandboxCgroups::Add(const CgroupStep& step, const std::string& name) {
  std::string parent = step.parent;
  if (step.version == CgroupVersion::kV2) {
    ASSIGN_OR_RETURN(parent, FindV2Parent(step.parent, step.controllers));
  }
  const std::string folder = parent + "/" + name;
  if (::mkdir(folder.c_str(), 0755) != 0) {
    const int mkdir_errno = errno;
    return Fail(SystemError(mkdir_errno, "making the cgroup " + folder));
  }
  folders_.push_back(folder);
  for (const CgroupStep::Write& write : step.writes) {
    if (write.optional && ::access((folder + "/" + write.file).c_str(), W_OK) != 0) {
      continue;
    }
    RETURN_IF_ERROR(WriteControl(folder + "/" + write.file, write.value));
  }
  if (step.version == CgroupVersion::kV1) {
    ASSIGN_OR_RETURN(UniqueFd tasks, OpenAt(AT_FDCWD, folder + "/tasks", O_WRONLY));
    task_files_.push_back(std::move(tasks));
  } else {
    ASSIGN_OR_RETURN(v2_folder_, OpenAt(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY));
  }
  if (const bool is_v2 = step.version == CgroupVersion::kV2;
      !freezer_.valid() &&
      (is_v2 || std::ranges::find(step.controllers, "freezer") != step.controllers.end())) {
    // Without one (Linux before 5.2 has none in v2) nothing is lost but Freeze().
    freezer_.Reset(::open((folder + (is_v2 ? "/cgroup.freeze" : "/freezer.state")).c_str(),
                          O_RDWR | O_CLOEXEC));
    freezer_version_ = step.version;
  }
  return {};
}

Status SandboxCgroups::Freeze() {
  if (!freezer_.valid()) {
    return Fail(MakeError(ErrorCode::kUnsupported,
                          "the sandbox has no cgroup that can be frozen: run it as root, with a "
                          "limit such as --pids"));
  }
  const std::string_view word = FreezeWord(freezer_version_);
  if (::pwrite(freezer_.get(), word.data(), word.size(), 0) < 0) {
    const int write_errno = errno;
    return Fail(SystemError(write_errno, "freezing the cgroup"));
  }
  frozen_ = true;
  // v1: FREEZING until the last task has stopped.
  constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 5'000'000};
  constexpr int kAttempts = 200;
  std::array<char, 16> state{};
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const ssize_t length = ::pread(freezer_.get(), state.data(), state.size(), 0);
    if (length <= 0 ||
        !std::string_view(state.data(), static_cast<std::size_t>(length)).starts_with("FREEZING")) {
      break;
    }
    (void)::nanosleep(&kPause, nullptr);
  }
  return {};
}

Status SandboxCgroups::Thaw() {
  const std::string_view word = ThawWord(freezer_version_);
  if (frozen_ && ::pwrite(freezer_.get(), word.data(), word.size(), 0) < 0) {
    const int write_errno = errno;
    return Fail(SystemError(write_errno, "thawing the cgroup"));
  }
  frozen_ = false;
  return {};
}

void SandboxCgroups::StartRemover(const std::vector<std::string>& folders) {
  const UniqueFd own(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (!own.valid()) {
    return;  // only the clean-up after a SIGKILL is lost
  }
  remover_ = ::fork();
  if (remover_ == 0) {
    RunRemover(own.get(), folders);
  }
}

Expected<SandboxCgroups> SandboxCgroups::Create(const std::vector<CgroupStep>& steps,
                                                const std::string& name, LimitsHeld held,
                                                std::vector<std::string>& warnings) {
  SandboxCgroups cgroups;
  if (!steps.empty()) {
    // Before there is anything to remove: this process may be killed at any point.
    cgroups.StartRemover(PossibleFolders(steps, name));
  }
  for (const CgroupStep& step : steps) {
    const std::size_t made = cgroups.folders_.size();
    const Status added = cgroups.Add(step, name);
    if (added) {
      continue;
    }
    const std::string limits =
        "the " + Join(step.controllers, ", ") + " limit cannot be held: " + added.error().message;
    if ((step.origin == LimitOrigin::kAsked && held == LimitsHeld::kAll) ||
        !MayBeLeftOut(added.error())) {
      Error error = added.error();
      error.message = limits +
                      "; run as root, or with a cgroup of your own (systemd-run --user --scope -p "
                      "Delegate=yes)";
      return Fail(std::move(error));
    }
    if (step.origin != LimitOrigin::kNone) {
      warnings.push_back(limits);
    }
    while (cgroups.folders_.size() > made) {
      RemoveFolder(cgroups.folders_.back().c_str());
      cgroups.folders_.pop_back();
    }
  }
  return cgroups;
}

}  // namespace cordon
