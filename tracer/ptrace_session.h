#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "common/error.h"
#include "tracer/attach.h"
#include "tracer/call_observer.h"
#include "tracer/held_profile.h"
#include "tracer/kernel.h"
#include "tracer/processor_sharing.h"
#include "tracer/stop_event.h"
#include "tracer/trap_once.h"

namespace cordon {

/// How calls are made visible.
enum class TraceTier : std::uint8_t {
  kExact,     ///< PTRACE_SYSCALL: entry and exit of every call stop
  kFiltered,  ///< a SECCOMP_RET_TRACE filter: entry stops, exit only where the observer wants it
  kFast,      ///< the same, and calls that are known are made by stubs, without a stop (TrapOnce)
};

/// "exact", "filtered", "fast".
std::string_view Name(TraceTier tier);
std::optional<TraceTier> TraceTierFromName(std::string_view name);

/// Whether io_uring_setup(2) reaches the kernel. What is submitted to a ring makes no call, so
/// it cannot be seen.
enum class IoUring : std::uint8_t {
  kAllowed,
  kWithheld,  ///< it fails with ENOSYS, as on a kernel without it
};

/// What the session did: for --stats.
struct SessionCounts {
  std::uint64_t stops = 0;
  std::uint64_t calls = 0;
  std::uint64_t tasks = 0;
  std::uint64_t exact_tasks = 0;  ///< that a filter of the workload's own moved to the exact tier
  std::uint64_t shared = 0;       ///< times that a task came to run where cordon does
  StubCounts stubs;               ///< kFast
};

/// Follows a stopped, seized task and everything that it makes, and tells an observer.
///
///                 NewTaskStop of the parent                        TaskEnd
///   (unknown) ───────────────────────────▶ running ◀──▶ stopped ─────────▶ (gone)
///       │ the child's own first stop          ▲
///       └────────────▶ held ──────────────────┘  released by the parent's event, or, should that
///       never come because the parent was killed, when no clone is under way that can have made it
///
/// A task with a seccomp filter besides ours is followed in the exact tier from then on: an ERRNO
/// of that filter outranks our TRACE, while PTRACE_SYSCALL stops come before any filter
/// (seccomp(2), since Linux 4.8).
class PtraceSession {
 public:
  /// `kernel` and `observer` must outlive the session.
  PtraceSession(TraceKernel& kernel, CallObserver& observer, TraceTier tier,
                IoUring io_uring = IoUring::kAllowed)
      : kernel_(kernel), observer_(observer), tier_(tier), io_uring_(io_uring) {}

  /// Known calls are made by stubs in `window`, past which the filter lets them. Before Begin(),
  /// with kFiltered.
  void UseStubs(StubWindow window, std::uint64_t silent_stops_before);

  /// What is known is to be seen once more: stubs let nothing through that was not seen since.
  void ForgetKnown();

  /// Names may mean something else by now: as ForgetKnown(), of calls with a path. Due after each
  /// kNamesLifetime, as what is outside the workload may change them.
  void ForgetNames();

  bool uses_stubs() const { return trap_once_ != nullptr; }

  /// Tasks that stop often run where cordon does.
  void ShareProcessor() { sharing_ = std::make_unique<ProcessorSharing>(kernel_); }

  /// Lets tasks that do not stop run where they like. Due several times a second.
  void ReviewProcessors();

  /// Begins to follow `root`, which is seized and in a stop that swallows its signal.
  Status Begin(pid_t root);

  /// Begins to follow `task`, which is seized and runs, with the call by which it executes its
  /// first program: what it does before is its maker's. In the filtered tier it loads the trace
  /// filter before that.
  void BeginAtExec(pid_t task);

  /// What `profile` refuses fails with its errno. Before BeginAtExec(), with kFiltered; the tasks
  /// have profile.program() loaded beside the trace filter.
  void Hold(HeldProfile profile);

  /// Begins to follow tasks that are seized and run: each is made to stop once, so that its calls
  /// are seen from then on. A call that it sleeps in meanwhile is interrupted as by a stop signal:
  /// the kernel restarts most of them, epoll_wait(2) and a few others return EINTR (signal(7)).
  void BeginAttached(const std::vector<AttachedTask>& tasks);

  /// Lets go of every task at its next stop, which is asked for: go on with RunOnce() until it is
  /// kFinished. Only for tasks without the trace filter. What is stopped stays stopped, what runs
  /// runs, a signal that was on its way arrives.
  void Release();

  enum class Step : std::uint8_t {
    kHandled,
    kInterrupted,  ///< a signal to cordon came: see to it, then go on
    kFinished,     ///< no task is left
  };

  /// Waits for one report and deals with it.
  Expected<Step> RunOnce();

  /// The ids of all tasks that are followed.
  std::vector<pid_t> Tasks() const;

  std::size_t task_count() const { return tasks_.size() + approaching_.size(); }

  bool Follows(pid_t task) const { return tasks_.contains(task); }

  SessionCounts counts() const;

  /// Called with each task and signal of a group-stop, after the task was left in it.
  void OnGroupStop(std::function<void(pid_t, int)> callback) {
    on_group_stop_ = std::move(callback);
  }

 private:
  /// A first argument that was replaced for the kernel and is to be put back.
  struct ChangedArgument {
    std::uint32_t audit_arch = 0;
    std::uint64_t value = 0;  ///< the program's own
  };

  struct Task {
    TraceTier tier = TraceTier::kExact;
    pid_t process = 0;              ///< thread group
    bool observer_waits = false;    ///< for the result of the call that the task is in
    bool exit_needed = false;       ///< the session itself must see the end of that call
    bool entered = false;           ///< its entry was reported and its exit was not yet
    SyscallInvocation call;         ///< the last that was entered
    std::uint64_t clone = 0;        ///< number of the clone that it is in; 0: none
    std::uint64_t clone_flags = 0;  ///< of that clone
    /// Where CLONE_UNTRACED was taken out, to be put back: of clone3(2).
    std::optional<std::uint64_t> clone3_flags_address;
    /// Likewise, of clone(2), which has it in a register; a new task has a copy of its maker's.
    std::optional<ChangedArgument> changed_argument;
    std::shared_ptr<AddressSpace> space;  ///< with stubs only
    bool changes_names = false;           ///< in the call that it is in
    bool exiting = false;                 ///< what it was in never came out
    bool stranger = false;                ///< counted in AddressSpace::strangers
    TaskPlacement placement;
    std::uint64_t hits_before_exec = 0;  ///< of the memory that the execve(2) under way gives up
  };

  /// A task whose end came before its parent's event.
  struct EndedUnknown {
    std::uint64_t last_clone = 0;
    Outcome outcome;
  };

  void Approach(pid_t id, const StopEvent& event);
  bool IsAtExec(pid_t id, const StopEvent& event);
  int RefusalOf(const CallStop& stop) const;
  void Handle(pid_t id, const StopEvent& event);
  void HandleUnknown(pid_t id, const StopEvent& event);
  void On(pid_t id, Task& task, const SyscallStop& stop);
  void On(pid_t id, Task& task, const SeccompStop& stop);
  void On(pid_t id, Task& task, const NewTaskStop& stop);
  void On(pid_t id, Task& task, const ExecStop& stop);
  void On(pid_t id, Task& task, const ExitingStop& stop);
  void On(pid_t id, Task& task, const GroupStop& stop);
  void On(pid_t id, Task& task, const SignalStop& stop);
  void On(pid_t id, Task& task, const TrapStop& stop);
  void On(pid_t id, Task& task, const OtherStop& stop);
  void On(pid_t id, Task& task, const TaskEnd& end);

  void EnterCall(pid_t id, Task& task, const CallStop& stop);
  void LeaveCall(pid_t id, Task& task, const CallStop& stop);
  void NoteClone(pid_t id, Task& task, const CallStop& stop);
  void RestoreCloneFlags(pid_t id, Task& task);
  void RestoreArgument(pid_t id, Task& task);
  void WatchForFilter(pid_t id, Task& task, CallResult result);
  void MoveToExact(pid_t id, Task& task);
  bool IsOver(pid_t id, Task& task, const StopEvent& event);
  bool PutOff(pid_t id, Task& task, const CallStop& stop);
  std::uint64_t CloneFlags(pid_t id, const SyscallInvocation& invocation);
  void LearnFrom(pid_t id, Task& task, std::uint64_t instruction_pointer);
  void Tell(pid_t id, Task& task, const TrapOnce::Report& report);
  void TellOfDescriptors(pid_t id, const Task& task);
  void ShowOriginalPlace(pid_t id, Task& task);
  void FinishChange(Task& task);
  void BeforeCall(pid_t id, Task& task, std::uint32_t audit_arch);
  void MakeRoom(pid_t id, Task& task, std::uint32_t audit_arch);
  void TellOfAllDescriptors(pid_t id, const Task& task);
  void DescribeDescriptors(pid_t id, const Task& task);
  void AfterCall(pid_t id, Task& task, CallResult result);
  void ShareSpace(pid_t parent, const Task& maker, pid_t child, Task& made,
                  std::uint64_t clone_flags);
  void LeaveSpace(Task& task);
  void Adopt(pid_t parent, pid_t child, std::uint64_t clone_flags);
  void FollowExec(pid_t id);
  void LetGo(pid_t id, const StopEvent& event);
  void FinishClone(Task& task);
  void SettleStrangers();
  void AdoptOrphan(pid_t child);
  void Forget(pid_t id, const TaskEnd& end);
  void EndLostThreads(pid_t process, const TaskEnd& end);
  void Resume(pid_t id, Task& task, int signal = 0);
  void NoteStopped(pid_t id, Task& task);
  void NoteResumed(Task& task);
  void PartBefore(pid_t id, Task& task, const SyscallSignature& signature);
  void PartAll();
  void EndSharingIfSeen(pid_t id);

  TraceKernel& kernel_;
  CallObserver& observer_;
  TraceTier tier_;
  IoUring io_uring_;
  std::unordered_map<pid_t, Task> tasks_;
  /// Clones are numbered as they begin; a task that is heard of before its parent told of it was
  /// made by one of those that had begun by then.
  std::uint64_t last_clone_ = 0;
  std::set<std::uint64_t> pending_clones_;         ///< begun, and neither failed nor told of
  std::unordered_map<pid_t, std::uint64_t> held_;  ///< stopped for the first time -> last_clone_
  std::unordered_map<pid_t, EndedUnknown> ended_unknown_;
  bool may_have_unheard_ =
      false;  ///< a task was killed in a clone: its child may be all that is left
  std::unordered_set<pid_t> approaching_;  ///< have yet to execute their first program
  std::optional<HeldProfile> profile_;
  std::uint32_t own_filters_ = 1;  ///< a task has, of nobody's but ours
  bool releasing_ = false;
  std::unordered_set<pid_t> released_;  ///< let go of before their parent's event came
  std::function<void(pid_t, int)> on_group_stop_;
  SessionCounts counts_;
  std::unique_ptr<TrapOnce> trap_once_;  ///< kFast only
  unsigned changers_ = 0;                ///< tasks in calls that change what names mean
  bool may_touch_all_ = false;           ///< kFast only: with CAP_SYS_PTRACE
  std::unique_ptr<ProcessorSharing> sharing_;
};

}  // namespace cordon
