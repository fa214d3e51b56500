#include "runtime/oci_target.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include "runtime/linux_calls.h"

namespace cordon {
namespace {

using namespace linux_calls;

/// Closes `fd` and leaves errno as it is.
void CloseQuietly(int fd) {
  const int saved = errno;
  (void)::close(fd);
  errno = saved;
}

/// One step of a path.
struct Part {
  std::size_t start = 0;
  std::size_t end = 0;
  bool last = false;
};

Part NextPart(const char* path, std::size_t from) {
  Part part;
  part.start = from;
  while (path[part.start] == '/') {
    ++part.start;
  }
  part.end = part.start;
  while (path[part.end] != '/' && path[part.end] != '\0') {
    ++part.end;
  }
  std::size_t rest = part.end;
  while (path[rest] == '/') {
    ++rest;
  }
  part.last = path[rest] == '\0';
  return part;
}

bool IsDots(const char* name, std::size_t length) {
  return (length == 1 && name[0] == '.') || (length == 2 && name[0] == '.' && name[1] == '.');
}

int Make(int parent, const char* name, OciTargetKind kind) {
  return kind == OciTargetKind::kFile ? ::mknodat(parent, name, S_IFREG | 0644, 0)
                                      : ::mkdirat(parent, name, 0755);
}

}  // namespace

int OpenOrMakeOciTarget(int root, const char* path, OciTargetKind kind, std::uint64_t resolve) {
  const int target = OpenInRoot(root, path, O_PATH, resolve);
  if (target >= 0 || errno != ENOENT) {
    return target;
  }
  std::array<char, PATH_MAX> prefix{};
  if (std::strlen(path) >= prefix.size()) {
    errno = ENAMETOOLONG;
    return -1;
  }
  int parent = OpenInRoot(root, "/", O_PATH | O_DIRECTORY, 0);
  for (std::size_t at = 0; parent >= 0;) {
    const Part part = NextPart(path, at);
    std::array<char, NAME_MAX + 1> name{};
    if (part.end - part.start > NAME_MAX) {
      (void)::close(parent);
      errno = ENAMETOOLONG;
      return -1;
    }
    std::memcpy(name.data(), path + part.start, part.end - part.start);
    std::memcpy(prefix.data(), path, part.end);
    prefix.at(part.end) = '\0';
    int next = OpenInRoot(root, prefix.data(), O_PATH, resolve);
    if (next < 0 && errno == ENOENT && !IsDots(name.data(), part.end - part.start)) {
      // A link that leads nowhere: mkdir(2) says EEXIST, and that is the answer.
      if (Make(parent, name.data(), part.last ? kind : OciTargetKind::kFolder) == 0) {
        next = OpenInRoot(root, prefix.data(), O_PATH | O_NOFOLLOW, resolve);
      }
    }
    CloseQuietly(parent);
    if (part.last || next < 0) {
      return next;
    }
    parent = next;
    at = part.end;
  }
  return -1;
}

int OpenOciParent(int root, const char* path, std::uint64_t resolve, const char*& name) {
  const char* const slash = std::strrchr(path, '/');
  std::array<char, PATH_MAX> folder{};
  const auto length = static_cast<std::size_t>(slash == nullptr ? 0 : slash - path);
  if (slash == nullptr || length >= folder.size() || slash[1] == '\0' ||
      IsDots(slash + 1, std::strlen(slash + 1))) {
    errno = EINVAL;
    return -1;
  }
  name = slash + 1;
  std::memcpy(folder.data(), path, length);
  return length == 0 ? OpenInRoot(root, "/", O_PATH | O_DIRECTORY, 0)
                     : OpenOrMakeOciTarget(root, folder.data(), OciTargetKind::kFolder, resolve);
}

}  // namespace cordon
