#pragma once

#include <unistd.h>

#include <utility>

namespace cordon {

/// Owns one file descriptor and closes it. Empty when get() is -1. Never converts to int by itself.
class UniqueFd {
 public:
  UniqueFd() noexcept = default;

  explicit UniqueFd(int fd) noexcept : fd_(fd) {}

  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}

  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      Reset(other.Release());
    }
    return *this;
  }

  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;

  ~UniqueFd() { Reset(); }

  int get() const noexcept { return fd_; }

  bool valid() const noexcept { return fd_ >= 0; }

  /// Gives the descriptor to the caller; this becomes empty.
  [[nodiscard]] int Release() noexcept { return std::exchange(fd_, -1); }

  /// Closes what is owned and takes `fd`. Linux frees the number even when close(2) fails with
  /// EINTR, so its result is ignored.
  void Reset(int fd = -1) noexcept {
    if (fd_ >= 0 && fd_ != fd) {
      (void)::close(fd_);
    }
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace cordon
