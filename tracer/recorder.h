#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "model/recording.h"
#include "model/serving_when.h"
#include "tracer/held_profile.h"
#include "tracer/ptrace_session.h"
#include "tracer/run_watcher.h"

/// The recorder's face: a command in, a recording out.
namespace cordon {

/// When a run is over.
enum class RunUntil : std::uint8_t {
  kLastTask,      ///< nothing that the command started is alive: daemons are waited for
  kFirstProcess,  ///< the command itself has ended; what it left behind is ended
};

struct RecordOptions {
  std::vector<std::string>
      command;                    ///< not empty; looked up in PATH. RecordProcess has no use for it
  std::optional<TraceTier> tier;  ///< nothing: kFiltered where it works, else kExact
  std::optional<std::chrono::milliseconds> timeout;
  RunUntil until = RunUntil::kLastTask;
  ServingWhen serving_when = ServingWhen::kNever;  ///< kReady not with RecordProcess
  IoUring io_uring = IoUring::kAllowed;
  RunWatcher* watcher = nullptr;      ///< must outlive the run
  std::string further;                ///< Run::further
  Phase first_phase = Phase::kStart;  ///< of what is seen before any boundary
  /// kFast: of a process, before it gets stubs (TrapOnce).
  std::uint64_t silent_stops_before_stubs = 24;
};

/// Who brings a container's processes to their tracer. Each waits, before its first execve(2),
/// until it is let in.
class ProcessGate {
 public:
  ProcessGate() = default;
  ProcessGate(const ProcessGate&) = delete;
  ProcessGate& operator=(const ProcessGate&) = delete;
  virtual ~ProcessGate() = default;

  /// Waits until a process comes. False: the container is over.
  virtual bool Await() = 0;
  /// One that has come, by its id here. Does not wait.
  virtual std::optional<pid_t> Next() = 0;
  /// What became of the last that Next() gave: it is traced, or may not be.
  virtual void Answer(const Status& seized) = 0;
};

/// How a container is recorded.
struct ContainerRecordOptions {
  std::vector<std::string> command;  ///< of its first process
  pid_t root = 0;                    ///< its first process
  TraceTier tier = TraceTier::kExact;
  StubWindow window = {};                        ///< kFast
  std::optional<HeldProfile> profile;            ///< never with kExact
  bool filtered = false;                         ///< it is under a profile, whoever holds that
  std::map<std::string, std::string> binds;      ///< Run::binds
  std::uint64_t silent_stops_before_stubs = 24;  ///< kFast
};

/// A learning run that took place, however it went.
struct LearningRun {
  Recording recording;       ///< with one run
  Outcome outcome;           ///< of the command's first process
  bool ended_early = false;  ///< by the timeout or a second interrupt
  TraceTier tier = TraceTier::kExact;
  std::chrono::milliseconds duration{};
  SessionCounts counts;
  std::chrono::nanoseconds tracer_time{};  ///< of processors, that cordon itself took for the run
};

/// Runs the command under the tracer until it is over. It keeps cordon's terminal, process group,
/// environment and descriptors. SIGINT and SIGQUIT are left to the workload (the terminal sends
/// them to it as well); the second one, or the timeout, ends the run: SIGTERM to all that is alive,
/// SIGKILL after 5 s. SIGTERM and SIGHUP are passed on to the command. Nothing that is traced
/// outlives the call. Fails only when tracing itself cannot be done; a command that cannot be
/// executed is the outcome NotExecuted. The caller must be single-threaded.
Expected<LearningRun> RecordRun(const RecordOptions& options);

/// The same for a process that runs already, with all its threads and live descendants, in the
/// exact tier. SIGINT, SIGTERM, SIGHUP or the timeout end the run: everything is let go of, as it
/// is, and `ended_early` is set. Fails when the process may not be traced; the sentence says what
/// to do. With RunUntil::kFirstProcess its descendants are let go of when it ends. What is traced
/// outlives cordon in any case.
Expected<LearningRun> RecordProcess(pid_t process, const RecordOptions& options);

/// The tier in which a container can be recorded by the caller: kFast, or less under a filter from
/// outside or on another architecture.
TraceTier TierForContainers();

/// Records all processes that come through `gate`, with all that they make, until the container is
/// over; none of them outlives the caller. What is not kExact has the trace filter of the tier
/// loaded, and profile.program() after it, by the time it executes its first program. Fails only
/// when tracing itself cannot be done; where nothing was executed the outcome is NotExecuted. The
/// caller must be single-threaded.
Expected<LearningRun> RecordContainer(const ContainerRecordOptions& options, ProcessGate& gate);

}  // namespace cordon
