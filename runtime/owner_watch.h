#pragma once

#include <sys/types.h>

#include <functional>

#include "common/error.h"

namespace cordon {

/// A child process that outlives the caller and does what is left to do then. It is in no
/// terminal's process group, blocks every signal and has no descriptor of the caller's. Ended, and
/// waited for, when this goes out of scope.
class OwnerWatch {
 public:
  OwnerWatch() = default;
  OwnerWatch(OwnerWatch&& other) noexcept;
  OwnerWatch& operator=(OwnerWatch&& other) noexcept;
  OwnerWatch(const OwnerWatch&) = delete;
  OwnerWatch& operator=(const OwnerWatch&) = delete;

  ~OwnerWatch() { End(); }

  /// Starts the child; once the caller is gone it calls `afterwards` and ends. Only for a
  /// single-threaded caller. Fails with kSystem.
  static Expected<OwnerWatch> Start(const std::function<void()>& afterwards);

  pid_t pid() const { return pid_; }  ///< -1: none

 private:
  void End() noexcept;

  pid_t pid_ = -1;
};

}  // namespace cordon
