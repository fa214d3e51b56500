#include "observe/file_name.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <vector>

namespace cordon {
namespace {

constexpr std::string_view kDeleted = " (deleted)";
constexpr std::string_view kProc = "/proc/";
constexpr std::string_view kMemfd = "/memfd:";

/// Takes a decimal id off the front of `text`, which must end there or go on with '/'; 0 if there
/// is none.
pid_t TakeId(std::string_view& text) {
  pid_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  const auto length = static_cast<std::size_t>(end - text.data());
  if (error != std::errc{} || (length < text.size() && text[length] != '/')) {
    return 0;
  }
  text.remove_prefix(length);
  return id;
}

bool ConsumePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) {
    return false;
  }
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

std::string NormalizeProcPath(std::string_view path, const IsWorkloadTask& is_workload_task) {
  std::string_view rest = path;
  if (!ConsumePrefix(rest, kProc)) {
    return std::string(path);
  }
  if (const bool already_self = rest == "self" || rest.starts_with("self/"); already_self) {
    rest.remove_prefix(std::string_view("self").size());
  } else {
    const pid_t process = TakeId(rest);
    if (process == 0 || !is_workload_task(process)) {
      return std::string(path);
    }
  }
  constexpr std::string_view kTask = "/task/";
  std::string_view inside = rest;
  if (ConsumePrefix(inside, kTask)) {
    if (const pid_t thread = TakeId(inside); thread != 0) {
      return fmt::format("/proc/thread-self{}", inside);
    }
  }
  return fmt::format("/proc/self{}", rest);
}

std::string_view StripRoot(std::string_view path, std::string_view root) {
  if (root.size() <= 1 || !path.starts_with(root)) {
    return path;
  }
  if (path.size() == root.size()) {
    return "/";
  }
  return path[root.size()] == '/' ? path.substr(root.size()) : path;
}

std::string NormalizeLinkText(std::string_view text, nlink_t links, std::string_view root) {
  if (text.starts_with(kMemfd)) {
    text.remove_prefix(1);
    if (text.ends_with(kDeleted)) {
      text.remove_suffix(kDeleted.size());
    }
    return std::string(text);
  }
  if (!text.starts_with('/')) {
    // "pipe:[123]", "socket:[123]", "mnt:[4026531841]"; but "anon_inode:[eventpoll]" has its kind
    // in brackets.
    const std::size_t bracket = text.find(":[");
    const bool numbered = bracket != std::string_view::npos && bracket + 2 < text.size() &&
                          text[bracket + 2] >= '0' && text[bracket + 2] <= '9';
    return std::string(numbered ? text.substr(0, bracket + 1) : text);
  }
  if (links == 0 && text.ends_with(kDeleted)) {
    text.remove_suffix(kDeleted.size());
  }
  return std::string(StripRoot(text, root));
}

Expected<std::string> ReadLinkText(const std::string& path) {
  constexpr std::size_t kFirst = 512;
  constexpr std::size_t kMost = std::size_t{64} << 10;
  std::string text(kFirst, '\0');
  for (;;) {
    const ssize_t length = ::readlink(path.c_str(), text.data(), text.size());
    if (length < 0) {
      return Fail(SystemError(errno, fmt::format("readlink {}", path)));
    }
    if (static_cast<std::size_t>(length) < text.size() || text.size() >= kMost) {
      text.resize(static_cast<std::size_t>(length));
      return text;
    }
    text.resize(text.size() * 4);
  }
}

Expected<OpenFile> DescribeOpenFile(const std::string& magic_link, std::string_view root,
                                    const IsWorkloadTask& is_workload_task) {
  ASSIGN_OR_RETURN(const std::string text, ReadLinkText(magic_link));
  return DescribeOpenFile(magic_link, text, root, is_workload_task);
}

Expected<OpenFile> DescribeOpenFile(const std::string& magic_link, std::string_view text,
                                    std::string_view root, const IsWorkloadTask& is_workload_task) {
  OpenFile file;
  // stat(2) through a magic link reaches the very inode, even one that has no name any more.
  if (::stat(magic_link.c_str(), &file.status) != 0) {
    return Fail(SystemError(errno, fmt::format("stat {}", magic_link)));
  }
  file.key.path =
      NormalizeProcPath(NormalizeLinkText(text, file.status.st_nlink, root), is_workload_task);
  file.key.file_class = text.starts_with("anon_inode:") ? FileClass::kAnonymous
                                                        : FileClassFromMode(file.status.st_mode);
  return file;
}

}  // namespace cordon
