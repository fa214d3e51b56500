#include "runtime/sandbox_log_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "common/file.h"
#include "runtime/sandbox_place.h"

namespace cordon {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{256} << 10;
constexpr int kMaxTries = 100;

/// The file behind a descriptor; nothing behind -1.
struct Identity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const Identity&) const = default;
};

std::optional<Identity> IdentityOf(const UniqueFd& file) {
  struct stat status{};
  if (!file.valid() || ::fstat(file.get(), &status) != 0) {
    return std::nullopt;
  }
  return Identity{status.st_dev, status.st_ino};
}

std::optional<Identity> IdentityOf(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) {
    return std::nullopt;
  }
  return Identity{status.st_dev, status.st_ino};
}

UniqueFd OpenToRead(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
}

}  // namespace

Expected<SandboxLogReader> SandboxLogReader::Open(const std::string& folder) {
  const std::string path = folder + std::string(kPlaceLog);
  UniqueFd notifier(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  // Before the first look: what happens after that is not missed.
  (void)::inotify_add_watch(
      notifier.get(), folder.c_str(),
      IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_CLOSE_WRITE | IN_ONLYDIR);
  for (int tries = 0; tries < kMaxTries; ++tries) {
    UniqueFd current = OpenToRead(path);
    if (!current.valid()) {
      const int open_errno = errno;
      if (open_errno == ENOENT && IdentityOf(folder + std::string(kPlaceOlderLog))) {
        continue;  // between the two steps of a rotation
      }
      return Fail(open_errno == ENOENT ? MakeError(ErrorCode::kNotFound, path + " is not there")
                                       : SystemError(open_errno, path));
    }
    UniqueFd older = OpenToRead(folder + std::string(kPlaceOlderLog));
    if (IdentityOf(path) != IdentityOf(current)) {
      continue;  // a rotation came between the two
    }
    std::vector<UniqueFd> files;
    if (older.valid()) {
      files.push_back(std::move(older));
    }
    files.push_back(std::move(current));
    return SandboxLogReader(folder, std::move(notifier), std::move(files));
  }
  return Fail(MakeError(ErrorCode::kSystem, path + " changes too fast to be opened"));
}

Expected<std::vector<LogRecord>> SandboxLogReader::Read() {
  while (true) {
    ASSIGN_OR_RETURN(std::vector<LogRecord> records, ReadFront());
    if (!records.empty()) {
      return records;
    }
    if (files_.size() > 1) {
      files_.erase(files_.begin());
      rest_.clear();
    } else if (!TakeNewFile()) {
      return records;
    }
  }
}

/// Whether there is a newer file than the last one. The old one, which the writer has closed, is
/// read once more before it: it may have got something after it was last at its end.
bool SandboxLogReader::TakeNewFile() {
  const std::string path = folder_ + std::string(kPlaceLog);
  const std::optional<Identity> mine = IdentityOf(files_.back());
  if (IdentityOf(path) == mine) {
    return false;
  }
  UniqueFd newer = OpenToRead(path);
  if (!newer.valid()) {
    return false;  // removed, or between the two steps of a rotation
  }
  if (IdentityOf(folder_ + std::string(kPlaceOlderLog)) != mine) {
    ++gaps_;
  }
  files_.push_back(std::move(newer));
  return true;
}

Expected<std::vector<LogRecord>> SandboxLogReader::ReadFront() {
  std::vector<LogRecord> records;
  std::string chunk(kChunkBytes, '\0');
  while (records.empty()) {
    const ssize_t got = ::read(files_.front().get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      const int read_errno = errno;
      return Fail(SystemError(read_errno, folder_ + std::string(kPlaceLog)));
    }
    if (got == 0) {
      break;
    }
    rest_.append(chunk, 0, static_cast<std::size_t>(got));
    std::size_t begin = 0;
    for (std::size_t end = rest_.find('\n'); end != std::string::npos;
         end = rest_.find('\n', begin)) {
      // A line that is no record was torn where the file system was full.
      if (auto record = ParseLogRecord(std::string_view(rest_).substr(begin, end - begin))) {
        records.push_back(*std::move(record));
      }
      begin = end + 1;
    }
    rest_.erase(0, begin);
  }
  return records;
}

void SandboxLogReader::Wait(int milliseconds) const {
  pollfd wait{notifier_.get(), POLLIN, 0};
  if (::poll(&wait, 1, milliseconds) <= 0) {
    return;
  }
  std::array<char, 4096> events{};
  while (::read(notifier_.get(), events.data(), events.size()) > 0) {
  }
}

}  // namespace cordon
