#pragma once

#include <csignal>

namespace cordon::cli {

/// While it lives, SIGINT and SIGTERM end nothing but are remembered, so that what was made on the
/// way can be taken down again. A signal that was ignored before stays so (nohup(1), a shell's
/// background jobs). At most one at a time; for single-threaded commands. Programs that are started
/// meanwhile have the signals as they were.
class Interruption {
 public:
  Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;
  Interruption(Interruption&&) = delete;
  Interruption& operator=(Interruption&&) = delete;
  ~Interruption();

  /// The first signal that came; 0: none did.
  static int Signal();

 private:
  struct sigaction interrupt_ = {};
  struct sigaction terminate_ = {};
};

}  // namespace cordon::cli
