#include "common/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "common/text.h"

namespace cordon {
namespace {

/// A name beside `path` that nobody else uses: the folder of `path`, a dot, its name, 64 random
/// bits.
std::string TemporaryName(const std::string& path) {
  std::uint64_t random = 0;
  (void)::getrandom(&random, sizeof random,
                    0);  // 8 bytes never fail once the pool is ready (getrandom(2))
  const std::filesystem::path full(path);
  return (full.parent_path() / fmt::format(".{}.{:016x}", full.filename().string(), random))
      .string();
}

Status WriteAll(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      return Fail(SystemError(errno, fmt::format("write {}", Quote(path))));
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

/// Creates `path`, which must not exist, with `content`.
Status WriteNewFile(const std::string& path, std::string_view content, unsigned mode,
                    const std::string& shown, Durability durability) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!fd.valid()) {
    return Fail(SystemError(errno, fmt::format("create {}", Quote(shown))));
  }
  RETURN_IF_ERROR(WriteAll(fd.get(), content, shown));
  if (durability == Durability::kSynced && ::fsync(fd.get()) != 0 &&
      errno != EINVAL) {  // EINVAL: a file system without fsync
    return Fail(SystemError(errno, fmt::format("fsync {}", Quote(shown))));
  }
  return {};
}

/// The folder that a rename in it must be made durable in.
Status SyncParent(const std::string& path) {
  std::string parent = std::filesystem::path(path).parent_path().string();
  ASSIGN_OR_RETURN(const UniqueFd fd,
                   OpenAt(AT_FDCWD, parent.empty() ? "." : parent, O_RDONLY | O_DIRECTORY));
  if (::fsync(fd.get()) != 0 && errno != EINVAL) {
    return Fail(SystemError(errno, fmt::format("fsync {}", Quote(parent))));
  }
  return {};
}

std::string WithoutTrailingSlashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') {
    path.pop_back();
  }
  return path;
}

/// Is there something at `path` that a bundle may not replace?
Status CheckReplaceable(const std::string& path, const std::string& marker) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) {
      return {};
    }
    return Fail(SystemError(errno, fmt::format("stat {}", Quote(path))));
  }
  struct stat mark{};
  if (!S_ISDIR(info.st_mode) || ::lstat((path + "/" + marker).c_str(), &mark) != 0 ||
      !S_ISREG(mark.st_mode)) {
    return Fail(InvalidInput(fmt::format(
        "{} exists and is not a folder with a {}: it will not be replaced; name another",
        Quote(path), marker)));
  }
  return {};
}

Status FillFolder(const std::string& folder, const std::map<std::string, std::string>& files,
                  const std::string& shown) {
  if (::mkdir(folder.c_str(), 0755) != 0) {
    return Fail(SystemError(errno, fmt::format("create folder {}", Quote(shown))));
  }
  for (const auto& [name, content] : files) {
    std::string file = folder;
    file.append("/").append(name);
    RETURN_IF_ERROR(
        WriteNewFile(file, content, 0644, fmt::format("{}/{}", shown, name), Durability::kSynced));
  }
  return {};
}

/// Puts `fresh` where `path` is; what was there, if anything, ends up at `fresh`.
Status Exchange(const std::string& fresh, const std::string& path) {
  if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) {
    return {};
  }
  if (errno == EEXIST &&
      ::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE) == 0) {
    return {};
  }
  if (errno != EINVAL && errno != ENOSYS) {
    return Fail(SystemError(errno, fmt::format("rename into {}", Quote(path))));
  }
  // A file system without the flags of renameat2(2): two steps, with the old folder put back if the
  // second fails.
  const std::string old = TemporaryName(path);
  const bool had_old = ::rename(path.c_str(), old.c_str()) == 0;
  if (!had_old && errno != ENOENT) {
    return Fail(SystemError(errno, fmt::format("rename {}", Quote(path))));
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) {
    const int failed = errno;
    if (had_old) {
      (void)::rename(old.c_str(), path.c_str());
    }
    return Fail(SystemError(failed, fmt::format("rename into {}", Quote(path))));
  }
  if (had_old) {
    (void)::rename(old.c_str(), fresh.c_str());
  }
  return {};
}

}  // namespace

Expected<UniqueFd> OpenAt(int dirfd, const std::string& path, int flags, unsigned mode) {
  UniqueFd fd(::openat(dirfd, path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd.valid()) {
    return Fail(SystemError(errno, fmt::format("open {}", Quote(path))));
  }
  return fd;
}

Expected<std::string> ReadFile(const std::string& path, std::size_t limit_bytes) {
  ASSIGN_OR_RETURN(const UniqueFd fd, OpenAt(AT_FDCWD, path, O_RDONLY));
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) {
    return Fail(SystemError(errno, fmt::format("stat {}", Quote(path))));
  }
  if (!S_ISREG(info.st_mode) && !S_ISFIFO(info.st_mode) && !S_ISCHR(info.st_mode)) {
    return Fail(InvalidInput(fmt::format("{} is not a file", Quote(path))));
  }
  std::string content;
  if (S_ISREG(info.st_mode) && info.st_size > 0) {
    content.reserve(std::min(limit_bytes, static_cast<std::size_t>(info.st_size)) + 1);
  }
  std::array<char, 65536> buffer{};
  while (true) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0) {
      if (errno == EINTR) {
        continue;
      }
      return Fail(SystemError(errno, fmt::format("read {}", Quote(path))));
    }
    if (got == 0) {
      return content;
    }
    if (content.size() + static_cast<std::size_t>(got) > limit_bytes) {
      return Fail(MakeError(ErrorCode::kLimit,
                            fmt::format("{} is larger than {} bytes", Quote(path), limit_bytes)));
    }
    content.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

Status WriteFileAtomically(const std::string& path, std::string_view content, unsigned mode,
                           Durability durability) {
  const std::string temporary = TemporaryName(path);
  Status status = WriteNewFile(temporary, content, mode, path, durability);
  if (status && ::rename(temporary.c_str(), path.c_str()) != 0) {
    status = Fail(SystemError(errno, fmt::format("rename into {}", Quote(path))));
  }
  if (!status) {
    (void)::unlink(temporary.c_str());
    return status;
  }
  return durability == Durability::kSynced ? SyncParent(path) : Status();
}

Status WriteFolderAtomically(const std::string& path,
                             const std::map<std::string, std::string>& files,
                             const std::string& marker) {
  const std::string target = WithoutTrailingSlashes(path);
  RETURN_IF_ERROR(CheckReplaceable(target, marker));
  const std::string fresh = TemporaryName(target);
  Status status = FillFolder(fresh, files, target);
  if (status) {
    status = Exchange(fresh, target);
  }
  // On success `fresh` names what was replaced, on failure what was not finished: either goes.
  std::error_code ignored;
  std::filesystem::remove_all(fresh, ignored);
  if (!status) {
    return status;
  }
  return SyncParent(target);
}

}  // namespace cordon
