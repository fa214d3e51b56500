#include "observe/path_resolver.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

namespace cordon {
namespace {

constexpr int kMaxLinks = 40;  // MAXSYMLINKS in include/linux/namei.h

std::string ChildPath(const std::string& directory, std::string_view name) {
  return directory == "/" ? fmt::format("/{}", name) : fmt::format("{}/{}", directory, name);
}

std::string ParentPath(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

/// Takes the first component off `path`; empty when there is none left.
std::string TakeComponent(std::string& path) {
  const std::size_t begin = path.find_first_not_of('/');
  if (begin == std::string::npos) {
    path.clear();
    return {};
  }
  const std::size_t end = std::min(path.find('/', begin), path.size());
  std::string component = path.substr(begin, end - begin);
  path.erase(0, end);
  return component;
}

bool HasMoreComponents(const std::string& path) {
  return path.find_first_not_of('/') != std::string::npos;
}

/// Is a link in this directory one that the kernel jumps through (proc(5): fd/N, exe, cwd, root,
/// map_files, ns)?
bool HoldsMagicLinks(std::string_view directory) {
  constexpr std::string_view kProc = "/proc/";
  if (!directory.starts_with(kProc)) {
    return false;
  }
  directory.remove_prefix(kProc.size());
  return directory.starts_with("self") || directory.starts_with("thread-self") ||
         (!directory.empty() && directory.front() >= '0' && directory.front() <= '9');
}

/// One walk.
class Walk {
 public:
  /// Whether TakeEnd() is wanted, which what is only looked at has not.
  enum class End : std::uint8_t { kLookedAt, kOpened };

  Walk(const PathContext& context, const IsWorkloadTask& is_workload_task, End end)
      : context_(context), is_workload_task_(is_workload_task), end_(end) {}

  Status Start(const PathRequest& request) {
    rest_ = request.path;
    must_follow_ = request.final_link == FinalLink::kFollow || request.path.ends_with('/');
    if (request.path.starts_with('/')) {
      return EnterRoot();
    }
    const std::string base =
        request.directory_fd ? fmt::format("/proc/{}/fd/{}", context_.task, *request.directory_fd)
                             : fmt::format("/proc/{}/cwd", context_.task);
    return EnterBase(base);
  }

  /// Goes through all components.
  ResolvedPath Run() {
    while (result_.sys_errno == 0 && HasMoreComponents(rest_)) {
      std::string component = TakeComponent(rest_);
      if (component == ".") {
        NoteDirectory();
      } else if (component == "..") {
        StepUp();
      } else {
        StepInto(component);
      }
    }
    if (result_.sys_errno == 0) {
      result_.key = {.path = canonical_, .file_class = FileClassFromMode(status_.st_mode)};
      result_.status = status_;
    }
    return std::move(result_);
  }

  /// After Run(), with End::kOpened: where the path leads.
  UniqueFd TakeEnd() { return std::move(at_); }

 private:
  Status EnterRoot() {
    RETURN_IF_ERROR(Enter(
        UniqueFd(::open(fmt::format("/proc/{}/root", context_.task).c_str(), O_PATH | O_CLOEXEC)),
        "the root directory"));
    canonical_ = "/";
    return {};
  }

  Status EnterBase(const std::string& magic_link) {
    RETURN_IF_ERROR(Enter(UniqueFd(::open(magic_link.c_str(), O_PATH | O_CLOEXEC)), magic_link));
    ASSIGN_OR_RETURN(const std::string text, ReadLinkText(magic_link));
    canonical_ = NormalizeProcPath(NormalizeLinkText(text, status_.st_nlink, context_.root),
                                   is_workload_task_);
    return {};
  }

  Status Enter(UniqueFd fd, std::string_view what) {
    if (!fd.valid()) {
      return Fail(SystemError(errno, fmt::format("open {}", what)));
    }
    at_ = std::move(fd);
    if (::fstat(at_.get(), &status_) != 0) {
      return Fail(SystemError(errno, fmt::format("stat {}", what)));
    }
    return {};
  }

  void NoteStep(FileKey key, const struct stat& status) {
    if (!result_.steps.empty() && result_.steps.back().key == key) {
      return;
    }
    result_.steps.push_back({.key = std::move(key),
                             .mode = status.st_mode,
                             .uid = status.st_uid,
                             .gid = status.st_gid});
  }

  void NoteDirectory() {
    NoteStep({.path = canonical_, .file_class = FileClass::kDirectory}, status_);
  }

  /// The look-up of `component` beneath the current directory failed.
  void Miss(int sys_errno, std::string_view component) {
    result_.sys_errno = sys_errno;
    result_.parent_exists = !HasMoreComponents(rest_) && sys_errno != ENOTDIR;
    std::string path = ChildPath(canonical_, component);
    while (HasMoreComponents(rest_)) {
      path = ChildPath(path, TakeComponent(rest_));
    }
    result_.key = {.path = std::move(path), .file_class = FileClass::kFile};
  }

  bool InDirectory(std::string_view component) {
    if (!S_ISDIR(status_.st_mode)) {
      Miss(ENOTDIR, component);
      return false;
    }
    NoteDirectory();
    return true;
  }

  void StepUp() {
    if (!InDirectory("..") || canonical_ == "/") {
      return;  // the root's parent is the root
    }
    if (const Status entered = Enter(UniqueFd(::openat(at_.get(), "..", O_PATH | O_CLOEXEC)), "..");
        !entered.has_value()) {
      Miss(entered.error().sys_errno, "..");
      return;
    }
    canonical_ = ParentPath(canonical_);
  }

  void StepInto(const std::string& component) {
    if (!InDirectory(component)) {
      return;
    }
    // /proc/self is whoever asks, and here that would be us.
    const bool own_link =
        canonical_ == "/proc" && (component == "self" || component == "thread-self");
    const std::string name = own_link ? fmt::format("{}", context_.innermost_pid) : component;
    const bool last = !HasMoreComponents(rest_);
    struct stat status{};
    if (last &&
        ::fstatat(at_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) {
      Miss(errno, component);
      return;
    }
    UniqueFd next;
    // Nothing is walked from the last component, unless it is a link; what is opened cannot become
    // something else meanwhile.
    if (!last || end_ == End::kOpened || (S_ISLNK(status.st_mode) && must_follow_)) {
      next = UniqueFd(::openat(at_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
      if (!next.valid() || ::fstat(next.get(), &status) != 0) {
        Miss(errno, component);
        return;
      }
    }
    if (own_link) {
      if (last && !must_follow_) {
        status.st_mode = S_IFLNK;
      } else {
        NoteStep({.path = ChildPath(canonical_, component), .file_class = FileClass::kSymlink},
                 status);
      }
      Advance(std::move(next), ChildPath(canonical_, component), status);
      return;
    }
    if (!S_ISLNK(status.st_mode) || (last && !must_follow_)) {
      Advance(std::move(next),
              NormalizeProcPath(ChildPath(canonical_, component), is_workload_task_), status);
      return;
    }
    Follow(next, component, status);
  }

  void Advance(UniqueFd next, std::string canonical, const struct stat& status) {
    at_ = std::move(next);
    canonical_ = std::move(canonical);
    status_ = status;
  }

  void Follow(const UniqueFd& link, const std::string& component, const struct stat& status) {
    NoteStep({.path = ChildPath(canonical_, component), .file_class = FileClass::kSymlink}, status);
    if (++links_ > kMaxLinks) {
      Miss(ELOOP, component);
      return;
    }
    std::array<char, PATH_MAX> text{};
    const ssize_t length = ::readlinkat(link.get(), "", text.data(), text.size());
    if (length <= 0) {
      Miss(length < 0 ? errno : ENOENT, component);
      return;
    }
    const std::string target(text.data(), static_cast<std::size_t>(length));
    if (HoldsMagicLinks(canonical_)) {
      Jump(component, target);
      return;
    }
    rest_ = HasMoreComponents(rest_) || rest_.ends_with('/') ? target + "/" + rest_ : target;
    if (target.starts_with('/')) {
      if (const Status entered = EnterRoot(); !entered.has_value()) {
        Miss(entered.error().sys_errno, component);
      }
    }
  }

  /// Goes through a magic link, where the kernel walks no path.
  void Jump(const std::string& component, const std::string& text) {
    UniqueFd target(::openat(at_.get(), component.c_str(), O_PATH | O_CLOEXEC));
    struct stat status{};
    if (!target.valid() || ::fstat(target.get(), &status) != 0) {
      Miss(errno, component);
      return;
    }
    Advance(std::move(target),
            NormalizeProcPath(NormalizeLinkText(text, status.st_nlink, context_.root),
                              is_workload_task_),
            status);
  }

  const PathContext& context_;
  const IsWorkloadTask& is_workload_task_;
  End end_;
  UniqueFd at_;            ///< where the walk stands
  std::string canonical_;  ///< its name
  struct stat status_{};   ///< its inode
  std::string rest_;       ///< components still to walk
  bool must_follow_ = true;
  int links_ = 0;
  ResolvedPath result_;
};

}  // namespace

std::string ResolvedPath::parent() const {
  return ParentPath(key.path);
}

Expected<ResolvedPath> PathResolver::Resolve(const PathRequest& request) const {
  Walk walk(context_, is_workload_task_, Walk::End::kLookedAt);
  RETURN_IF_ERROR(walk.Start(request));
  return walk.Run();
}

Expected<UniqueFd> PathResolver::Open(const PathRequest& request) const {
  Walk walk(context_, is_workload_task_, Walk::End::kOpened);
  RETURN_IF_ERROR(walk.Start(request));
  return walk.Run().exists() ? walk.TakeEnd() : UniqueFd();
}

}  // namespace cordon
