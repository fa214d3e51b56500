#pragma once

#include <signal.h>
#include <time.h>

#include <array>
#include <chrono>
#include <optional>
#include <vector>

#include "common/error.h"

namespace cordon {

/// What reached cordon since the last Take().
struct Signals {
  int interrupts = 0;  ///< SIGINT, SIGQUIT: the terminal sends these to the workload too
  bool terminate = false;
  bool hang_up = false;
  bool deadline = false;  ///< the time given to SetDeadline is over
  bool input = false;     ///< SIGIO: a descriptor of cordon's own has something to read
  bool boundary = false;  ///< SIGUSR1: the workload serves from now on
};

/// Owns cordon's signal dispositions while a workload runs: SIGINT, SIGQUIT, SIGTERM, SIGHUP and a
/// deadline become values, and so do SIGIO and SIGUSR1; the terminal's stop signals are ignored,
/// SIGCHLD is not (children of a process that ignores it cannot be waited for). Restores everything
/// at the end. One at a time, in a single-threaded process. A signal makes a blocking wait fail
/// with EINTR; one that comes right before the wait begins is repeated by a timer until Take() has
/// seen it.
class SignalInbox {
 public:
  static Expected<SignalInbox> Open();
  SignalInbox(SignalInbox&& other) noexcept;
  SignalInbox& operator=(SignalInbox&&) = delete;
  ~SignalInbox();

  /// Did one come since the last Take()? Costs next to nothing.
  static bool Pending();

  Signals Take();
  /// From now on a wait comes back at least this often; of several that were asked for the smallest
  /// counts.
  void SetTick(std::chrono::milliseconds tick);
  /// Replaces the deadline; nothing: none.
  void SetDeadline(std::optional<std::chrono::steady_clock::time_point> deadline);

 private:
  SignalInbox() = default;
  void ArmTimer() const;

  struct Saved {
    int signal;
    struct sigaction action;
  };

  std::vector<Saved> saved_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  std::optional<std::chrono::milliseconds> tick_;
};

}  // namespace cordon
