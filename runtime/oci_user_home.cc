#include "runtime/oci_user_home.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

namespace cordon {
namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 20;
constexpr unsigned kUserField = 2;
constexpr unsigned kHomeField = 5;

/// Takes the file byte by byte: "NAME:x:UID:GID:COMMENT:HOME:SHELL" a line.
class Reader {
 public:
  Reader(uid_t user, char* home, std::size_t size) : user_(user), home_(home), size_(size) {}

  /// True when the home is complete.
  bool Take(char c) {
    if (c == '\n' || c == ':') {
      if (c == ':' && field_ == kHomeField) {
        return Complete();
      }
      const bool ended = c == '\n' && field_ == kHomeField && Complete();
      if (c == ':') {
        ++field_;
      } else {
        *this = Reader(user_, home_, size_);
      }
      return ended;
    }
    if (field_ == kUserField) {
      is_number_ = is_number_ && c >= '0' && c <= '9' && number_ <= UINT32_MAX;
      has_digits_ = true;
      number_ = number_ * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (field_ == kHomeField && length_ + 1 < size_) {
      home_[length_++] = c;
    }
    return false;
  }

 private:
  bool Complete() {
    if (!has_digits_ || !is_number_ || number_ != user_ || length_ == 0 || home_[0] != '/' ||
        length_ + 1 >= size_) {
      length_ = 0;
      return false;
    }
    home_[length_] = '\0';
    return true;
  }

  uid_t user_;
  char* home_;
  std::size_t size_;
  std::size_t length_ = 0;
  unsigned field_ = 0;
  std::uint64_t number_ = 0;
  bool is_number_ = true;
  bool has_digits_ = false;
};

bool Find(int file, Reader reader) {
  std::array<char, 4096> buffer{};
  std::size_t total = 0;
  ssize_t length = 0;
  while (total < kMaxFile && (length = ::read(file, buffer.data(), buffer.size())) > 0) {
    for (ssize_t i = 0; i < length; ++i) {
      if (reader.Take(buffer.at(static_cast<std::size_t>(i)))) {
        return true;
      }
    }
    total += static_cast<std::size_t>(length);
  }
  return reader.Take('\n');
}

}  // namespace

bool ReadUserHome(uid_t user, char* home, std::size_t size) {
  bool found = false;
  // O_NONBLOCK: it may be a FIFO that nobody writes to.
  const int file = ::open("/etc/passwd", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file >= 0) {
    struct stat status{};
    found = ::fstat(file, &status) == 0 && S_ISREG(status.st_mode) &&
            Find(file, Reader(user, home, size));
    (void)::close(file);
  } else if (errno != ENOENT && errno != ENOTDIR && errno != EACCES && errno != ELOOP) {
    return false;
  }
  if (!found) {
    home[0] = '/';
    home[1] = '\0';
  }
  return true;
}

}  // namespace cordon
