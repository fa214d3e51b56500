#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tracer/address_space.h"
#include "tracer/call_observer.h"
#include "tracer/kernel.h"
#include "tracer/stop_event.h"
#include "tracer/task_registers.h"

namespace cordon {

/// What the stubs did, for --stats.
struct StubCounts {
  std::uint64_t hits = 0;  ///< calls that stubs made without a stop
  std::uint64_t stubs = 0;
  std::uint64_t spaces = 0;                        ///< processes that have stubs
  std::map<std::string, std::uint64_t> unpatched;  ///< "FILE+0xOFFSET" -> stops that told nothing
};

/// Gives call sites that were seen a stub that makes known calls without a stop
/// (docs/decisions/0008). What a stub knows is what RepetitionOf() said; everything else it leaves
/// to the original instruction, which stops as before.
///
/// A process is left alone until `silent_stops_before` of its stops told nothing new: one that
/// makes few calls again costs less to stop than to change.
///
/// Code is only changed while no other task runs in the memory: of a process with one thread, or
/// before it makes its second. What cannot be done is left undone: the calls stop, as without it.
/// All tasks that are named must be stopped unless said otherwise.
class TrapOnce {
 public:
  /// `kernel` must outlive it. `on_stale` is called when what a process knows could not be taken
  /// back although it is alive, so that calls of it may go unseen.
  TrapOnce(TraceKernel& kernel, StubWindow window, std::uint64_t silent_stops_before,
           std::function<void()> on_stale)
      : kernel_(kernel),
        window_(window),
        silent_stops_before_(silent_stops_before),
        on_stale_(std::move(on_stale)) {}

  /// The first stop of a call, before anybody hears of it. True: it was put off, so that `id` can
  /// be made to map memory; its events go to Advance() until Busy() is over, then the call is made
  /// anew.
  bool Interpose(pid_t id, AddressSpace& space, const CallStop& stop);

  bool Busy(pid_t id) const { return errands_.contains(id); }

  /// The next event of a busy task. False: it is over, and the event is as any other.
  bool Advance(pid_t id, AddressSpace& space, const StopEvent& event);

  /// A call that was reported as not wanted, made by the instruction before `instruction_pointer`:
  /// the next ones like it need no stop.
  void Learn(pid_t id, AddressSpace& space, std::uint64_t instruction_pointer,
             const SyscallInvocation& invocation, const Repetition& repetition);

  /// Is this clone(2) or its kin, with `flags`, about to make the second thread of `space`? Then
  /// its code is changed now, as it cannot be later. True: see Interpose().
  bool BeforeThread(pid_t id, AddressSpace& space, const CallStop& stop);

  /// What a descriptor is as far as the process itself knows; nothing when it ends none unseen, so
  /// that whoever watched knows.
  std::optional<std::uint32_t> IdentityOf(pid_t id, const AddressSpace& space,
                                          std::uint64_t fd) const;

  /// Does the process end descriptors unseen since just now? Then Describe() tells it of each of
  /// which something was said. Asks once.
  static bool WantsDescriptors(AddressSpace& space) {
    return std::exchange(space.wants_descriptors, false);
  }

  void Describe(pid_t id, AddressSpace& space, std::uint64_t fd, std::uint32_t identity);

  /// No call with a path is known any more: names may mean something else. `id` may run.
  void ForgetNames(pid_t id, AddressSpace& space);

  /// A call that a stub made and of which more than what is known was to be told.
  struct Report {
    SyscallInvocation invocation;
    CallResult result;
    std::uint64_t instruction_pointer = 0;  ///< behind the original instruction
  };

  /// `id`, which has not run yet, has a copy of nobody knows which memory: whatever stubs there are
  /// let nothing through.
  void Silence(pid_t id) const;

  /// Is this stop, where no call is made, such a report? Then the program goes on behind the call.
  std::optional<Report> ReportAt(pid_t id, AddressSpace& space, const CallStop& stop);

  /// What the descriptors from `first` to `last` are is not known any more.
  void ForgetDescriptors(pid_t id, AddressSpace& space, std::uint64_t first, std::uint64_t last);

  /// No call is known any more. `id` may run.
  void Forget(pid_t id, AddressSpace& space);

  /// The same, and none becomes known again.
  void Close(pid_t id, AddressSpace& space);

  /// What each descriptor is as far as the process itself knows, by number; nothing when it ends
  /// none unseen. From now on it does not: for a space that is being closed or was left, before the
  /// call for which it is.
  std::vector<std::uint32_t> TakeIdentities(pid_t id, AddressSpace& space);

  enum class Overlap : std::uint8_t {
    kNone,      ///< nothing of the stubs lies there
    kLeft,      ///< something did, and nothing leads to it any more: the memory has no stubs again
    kInTheWay,  ///< something does, and other tasks may be in it
  };

  /// The memory from `begin` to `end` is about to go, or to be another's: `id` is about to make
  /// that call.
  Overlap MakeRoom(pid_t id, AddressSpace& space, std::uint64_t begin, std::uint64_t end);

  /// `child`, not running yet, has a copy of `space`.
  std::shared_ptr<AddressSpace> Fork(pid_t child, const AddressSpace& space);

  /// The program must not see where it is when it is in a stub: moves it to where it would be. A
  /// call whose result the stub has not looked at yet is reported.
  std::optional<Report> ShowOriginalPlace(pid_t id, AddressSpace& space);

  /// Did reading a path in a stub fail, where the kernel would have said EFAULT? Then the task is
  /// moved to the original instruction, and the signal is nobody's.
  bool IsFaultOfStub(pid_t id, AddressSpace& space, int signal);

  /// Code from `begin` to `end` is about to go or to be another's, or is new: what was known of it
  /// is not known any more.
  static void ForgetCode(AddressSpace& space, std::uint64_t begin, std::uint64_t end);

  /// Calls that the stubs of `space` made so far. `id` may run.
  std::uint64_t Hits(pid_t id, const AddressSpace& space) const;

  StubCounts& counts() { return counts_; }

  const StubCounts& counts() const { return counts_; }

 private:
  /// Memory that a task is being made to map.
  struct Errand {
    TaskRegisters saved;
    std::uint64_t near = 0;   ///< the call site that wants it
    std::uint64_t arena = 0;  ///< address chosen for its detours
    enum class Step : std::uint8_t { kMapWindow, kOpenKnownCalls, kMapArena } step{};
  };

  bool Begin(pid_t id, AddressSpace& space, const CallStop& stop, std::uint64_t near);
  bool Send(pid_t id, Errand& errand, bool from_stop);
  void Finish(pid_t id, AddressSpace& space, bool ok);
  void PutBack(pid_t id, const Errand& errand);
  /// `number` was made there just now.
  std::optional<std::size_t> Stub(pid_t id, AddressSpace& space, std::uint64_t site,
                                  std::int32_t number);
  std::optional<std::size_t> Write(pid_t id, AddressSpace& space, const CallSite& site,
                                   std::span<const std::uint8_t> before);
  std::optional<std::size_t> WriteChosen(pid_t id, AddressSpace& space, const CallSite& site,
                                         std::span<const std::uint8_t> before);
  std::optional<std::size_t> Place(pid_t id, AddressSpace& space, const CallSite& site,
                                   const CallShape& shape, std::span<const std::uint8_t> before);
  bool Stands(pid_t id, const StubbedSite& stub) const;
  /// Was it known before?
  enum class Known : std::uint8_t { kNow, kBefore };
  Known Know(pid_t id, AddressSpace& space, const SyscallInvocation& invocation,
             const CallShape& shape, const Repetition& repetition);
  void SetReporting(pid_t id, AddressSpace& space);
  bool Replace(pid_t id, AddressSpace& space, std::uint64_t offset, const void* bytes,
               std::size_t size);
  Known KnowName(pid_t id, AddressSpace& space, const SyscallInvocation& invocation,
                 const CallShape& shape, const PathPart& place, const Repetition& repetition);
  bool Identify(pid_t id, AddressSpace& space, std::uint64_t fd, std::uint32_t identity);
  const StubbedSite* SiteOf(const AddressSpace& space, std::uint64_t pc) const;
  Report MakeReport(pid_t id, AddressSpace& space, const StubbedSite& site,
                    TaskRegisters& registers, std::uint64_t result);
  void StubEverything(pid_t id, AddressSpace& space);
  const Mapping* TextAt(pid_t id, AddressSpace& space, std::uint64_t address);
  void CountUnpatched(pid_t id, AddressSpace& space, std::uint64_t site);
  DetourArena* ArenaNear(AddressSpace& space, std::uint64_t site) const;

  TraceKernel& kernel_;
  StubWindow window_;
  std::uint64_t silent_stops_before_;
  std::function<void()> on_stale_;
  std::unordered_map<pid_t, Errand> errands_;
  StubCounts counts_;
};

}  // namespace cordon
