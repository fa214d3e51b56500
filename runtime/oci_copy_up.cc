#include "runtime/oci_copy_up.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>

namespace cordon {
namespace {

constexpr int kMaxDepth = 64;

/// getdents64(2): what the C library's dirent64 has in front of the name.
struct Entry {
  std::uint64_t inode;
  std::int64_t offset;
  std::uint16_t length;
  std::uint8_t type;
};

constexpr std::size_t kNameOffset = 19;

struct Task {
  int from;
  int to;
  dev_t device;
  int depth;
};

int CopyFolder(const Task& task);

int CopyContent(int from, int to) {
  constexpr std::size_t kChunk = std::size_t{1} << 30;
  ssize_t sent = 0;
  while ((sent = ::sendfile(to, from, nullptr, kChunk)) > 0) {
  }
  return sent == 0 ? 0 : -1;
}

/// As `from`, which is a folder where `depth` may go on: opens both sides anew.
int CopyBelow(const Task& task, const char* name, const struct stat& status) {
  if (::mkdirat(task.to, name, 0700) != 0 && errno != EEXIST) {
    return -1;
  }
  const int from = ::openat(task.from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  const int to = ::openat(task.to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int result = -1;
  if (from >= 0 && to >= 0) {
    // What is mounted there is not copied.
    result = status.st_dev == task.device ? CopyFolder({from, to, task.device, task.depth + 1}) : 0;
  }
  const int saved = errno;
  (void)::close(from);
  (void)::close(to);
  errno = saved;
  return result;
}

int CopyFile(const Task& task, const char* name) {
  const int from = ::openat(task.from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  const int to =
      ::openat(task.to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  const int result = from >= 0 && to >= 0 ? CopyContent(from, to) : -1;
  const int saved = errno;
  (void)::close(from);
  (void)::close(to);
  errno = saved;
  return result;
}

int CopyLink(const Task& task, const char* name) {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlinkat(task.from, name, target.data(), target.size() - 1);
  return length < 0 ? -1 : ::symlinkat(target.data(), task.to, name);
}

int CopyEntry(const Task& task, const char* name) {
  struct stat status{};
  if (::fstatat(task.from, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? 0 : -1;
  }
  int result = 0;
  if (S_ISDIR(status.st_mode)) {
    result = CopyBelow(task, name, status);
  } else if (S_ISREG(status.st_mode)) {
    result = CopyFile(task, name);
  } else if (S_ISLNK(status.st_mode)) {
    result = CopyLink(task, name);
  } else {
    result = ::mknodat(task.to, name, status.st_mode, status.st_rdev);
  }
  if (result != 0 ||
      ::fchownat(task.to, name, status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return -1;
  }
  // After the owner, whose change clears set-user-ID.
  if (!S_ISLNK(status.st_mode) && ::fchmodat(task.to, name, status.st_mode & 07777, 0) != 0) {
    return -1;
  }
  const std::array<timespec, 2> times{status.st_atim, status.st_mtim};
  return ::utimensat(task.to, name, times.data(), AT_SYMLINK_NOFOLLOW);
}

int CopyFolder(const Task& task) {
  if (task.depth > kMaxDepth) {
    errno = ELOOP;
    return -1;
  }
  alignas(Entry) std::array<char, 4096> buffer{};
  long length = 0;
  while ((length = ::syscall(SYS_getdents64, task.from, buffer.data(), buffer.size())) > 0) {
    for (long at = 0; at < length;) {
      const auto* const entry = reinterpret_cast<const Entry*>(buffer.data() + at);
      const char* const name = buffer.data() + at + kNameOffset;
      if (std::strcmp(name, ".") != 0 && std::strcmp(name, "..") != 0 &&
          CopyEntry(task, name) != 0) {
        return -1;
      }
      at += entry->length;
    }
  }
  return length == 0 ? 0 : -1;
}

}  // namespace

int CopyUp(int from, int to) {
  struct stat status{};
  return ::fstat(from, &status) == 0 ? CopyFolder({from, to, status.st_dev, 0}) : -1;
}

}  // namespace cordon
