#pragma once

#include <sched.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>

#include "model/syscall_signature.h"
#include "tracer/kernel.h"

namespace cordon {

/// Where one task runs, as far as ProcessorSharing decided it.
struct TaskPlacement {
  std::optional<cpu_set_t> own;  ///< the processors it had before it shared; nothing: it does not
  std::chrono::steady_clock::time_point resumed{};  ///< the epoch: it has stopped since
  unsigned quick_stops = 0;                         ///< in a row
  bool crowded = false;                             ///< it had to wait for others there
  bool refused = false;                             ///< it cannot share
};

/// Keeps a task that stops often on the processor that cordon runs on. To wake the other side on a
/// processor that is idle costs several times what a stop costs by itself, and the scheduler
/// chooses an idle one whenever there is one. A task that does not stop for a while, or that has to
/// wait for others there, is let go to where it likes, so that what runs in parallel still does.
///
/// The workload does not see it: a task has its own processors again before a call that tells or
/// changes them, and so has everybody for good when one opens /proc/PID/status.
class ProcessorSharing {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Stops that come sooner after the task was resumed are quick.
  static constexpr std::chrono::microseconds kQuick{50};
  static constexpr unsigned kQuickStops = 4;
  /// So many must be in a row for a task that had to wait for others.
  static constexpr unsigned kQuickStopsWhenCrowded = 64;
  /// A task that does not stop for so long computes, or waits for others.
  static constexpr std::chrono::microseconds kLong{1000};

  /// `kernel` must outlive it.
  explicit ProcessorSharing(TraceKernel& kernel);
  ProcessorSharing(const ProcessorSharing&) = delete;
  ProcessorSharing& operator=(const ProcessorSharing&) = delete;
  /// Cordon has its own processors again; the tasks should be gone.
  ~ProcessorSharing();

  static void NoteResume(TaskPlacement& placement, TimePoint now) { placement.resumed = now; }

  /// `id` has stopped: it comes, stays or goes.
  void NoteStop(pid_t id, TaskPlacement& placement, TimePoint now);

  /// `child` was made by a task that is placed so, and inherited its processors (clone(2)).
  void NoteMade(pid_t child, const TaskPlacement& maker, TaskPlacement& made);

  /// A task that is placed so is gone.
  void NoteEnd(TaskPlacement& placement);

  /// `id`, which may run, has its own processors again.
  void Part(pid_t id, TaskPlacement& placement);

  /// `child` may have inherited processors from nobody knows whom.
  void Free(pid_t child);

  /// Nobody shares any more.
  void End() { ended_ = true; }

  /// Does it run without a stop for so long that it should be let go?
  static bool IsLong(const TaskPlacement& placement, TimePoint now) {
    return placement.own && placement.resumed != TimePoint() && now - placement.resumed > kLong;
  }

  /// When nobody shares, cordon itself may run anywhere. Due now and then.
  void Rest();

  /// What must be done before a call is made, so that it goes as it would without.
  enum class Need : std::uint8_t {
    kNothing,
    kOwn,  ///< the caller must have its own processors
    kAll,  ///< everybody must
  };

  Need NeedOf(const SyscallSignature& signature) const;

  /// Tasks that came to share, each time counted.
  std::uint64_t arrivals() const { return arrivals_; }

 private:
  void Share(pid_t id, TaskPlacement& placement);
  bool Settle();

  TraceKernel& kernel_;
  std::optional<cpu_set_t> own_;  ///< cordon's, while it is bound to `processor_`
  int processor_ = -1;
  std::uint64_t members_ = 0;
  std::uint64_t arrivals_ = 0;
  pid_t last_stopped_ = 0;  ///< of those that share
  TimePoint last_stop_;
  bool ended_ = false;
  bool loses_at_credentials_;  ///< a task of another user could not be let go any more
  bool loses_at_exec_;
};

}  // namespace cordon
