#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/parse_duration.h"
#include "cli/progress_line.h"
#include "cli/recording_destination.h"
#include "cli/report_error.h"
#include "cli/workload_arguments.h"
#include "common/text.h"
#include "model/recording_json.h"
#include "observe/file_name.h"
#include "tracer/recorder.h"

namespace cordon::cli {
namespace {

struct ProfileOptions {
  std::string output;
  std::string append;
  std::string timeout;
  std::string tier;
  bool quiet = false;
  bool stats = false;
  bool until_exit = false;
  bool no_io_uring = false;
  std::string serving_when;
  std::string further;
  std::optional<pid_t> pid;
  std::vector<std::string> command;
};

/// The program of process `pid`; an error when there is no such process.
Expected<std::string> ProgramOf(pid_t pid) {
  Expected<std::string> program = ReadLinkText(fmt::format("/proc/{}/exe", pid));
  if (!program.has_value() && ::access(fmt::format("/proc/{}", pid).c_str(), F_OK) != 0) {
    return Fail(InvalidInput(fmt::format("--pid: there is no process {}", pid)));
  }
  return program.value_or("process");  // of a kernel thread, or not ours to see
}

Expected<std::string> DefaultOutput(const ProfileOptions& options) {
  std::string program;
  if (options.pid) {
    ASSIGN_OR_RETURN(program, ProgramOf(*options.pid));
  } else {
    program = options.command.front();
  }
  const std::string name = std::filesystem::path(program).filename().string();
  return fmt::format("{}.recording.json", name.empty() ? "workload" : name);
}

Expected<RecordingDestination> Prepare(const ProfileOptions& options) {
  std::string path = options.output.empty() ? options.append : options.output;
  if (path.empty()) {
    ASSIGN_OR_RETURN(path, DefaultOutput(options));
  }
  return PrepareDestination(path, options.append);
}

Expected<RecordOptions> ToRecordOptions(const ProfileOptions& options) {
  RecordOptions record;
  record.command = options.command;
  record.until = options.until_exit ? RunUntil::kFirstProcess : RunUntil::kLastTask;
  if (!options.timeout.empty()) {
    record.timeout = ParseDuration(options.timeout);
    if (!record.timeout) {
      return Fail(InvalidInput(fmt::format("--timeout: {} is no duration; write 30s, 5m or 500ms",
                                           Quote(options.timeout))));
    }
  }
  if (!options.serving_when.empty()) {
    const std::optional<ServingWhen> when = ServingWhenFromName(options.serving_when);
    if (!when) {
      return Fail(InvalidInput(
          fmt::format("--serving-when: {} is not known; write listen, ready-fd or signal:USR1",
                      Quote(options.serving_when))));
    }
    if (*when == ServingWhen::kReady && options.pid) {
      return Fail(InvalidInput(
          "--serving-when ready-fd: a process that runs already cannot be handed a descriptor; "
          "write listen or signal:USR1"));
    }
    record.serving_when = *when;
  }
  record.io_uring = options.no_io_uring ? IoUring::kWithheld : IoUring::kAllowed;
  record.further = options.further;
  record.tier = TraceTierFromName(options.tier);
  return record;
}

std::string Count(std::size_t number, std::string_view noun, std::string_view several = {}) {
  return number != 1 && !several.empty()
             ? fmt::format("{} {}", number, several)
             : fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

void SaySummary(const ProfileOptions& options, const LearningRun& run,
                const RecordingDestination& destination) {
  const Recording& recording = run.recording;
  const std::set<Limitation>& limitations = recording.runs.begin()->second.limitations;
  PrintLine(fmt::format(
      "{}: {}, {}, {}, {}{}{}", destination.path, Count(recording.syscalls.size(), "system call"),
      Count(recording.files.size(), "file"), Count(recording.sockets.size(), "socket use"),
      Count(recording.processes.size(), "program"),
      limitations.empty() ? "" : fmt::format("; {}", Count(limitations.size(), "limitation")),
      !run.ended_early ? ""
      : options.pid    ? fmt::format("; process {} goes on", *options.pid)
                       : "; the run was ended early"));
  for (const Limitation& limitation : limitations) {
    ReportWarning(fmt::format("{}: {}", limitation.kind, limitation.detail));
  }
}

void SayStats(const LearningRun& run) {
  PrintLine(
      fmt::format("{} tier, {} ms: {} calls, {} stops, {} tasks ({} with a filter of their own)",
                  Name(run.tier), run.duration.count(), run.counts.calls, run.counts.stops,
                  run.counts.tasks, run.counts.exact_tasks));
  const double busy = std::chrono::duration<double, std::milli>(run.tracer_time).count();
  PrintLine(
      fmt::format("processor time of the tracer: {:.0f} ms, {:.1f} us a stop", busy,
                  run.counts.stops == 0 ? 0 : busy * 1000 / static_cast<double>(run.counts.stops)));
  PrintLine(
      fmt::format("tasks came to run where the tracer does {}", Count(run.counts.shared, "time")));
  if (run.tier != TraceTier::kFast) {
    return;
  }
  const StubCounts& stubs = run.counts.stubs;
  PrintLine(fmt::format("calls made without a stop: {}, by {} in {}", stubs.hits,
                        Count(stubs.stubs, "stub"), Count(stubs.spaces, "process", "processes")));
  for (const auto& [site, stops] : stubs.unpatched) {
    PrintLine(
        fmt::format("  not patched: {}, {} that told nothing new", site, Count(stops, "stop")));
  }
}

/// A further command runs beside a workload that serves: where that one's boundary is known, it
/// belongs to the time after it.
Phase PhaseOfFurther(const Recording& recording) {
  return std::ranges::any_of(recording.runs,
                             [](const auto& run) { return run.second.serving_ms.has_value(); })
             ? Phase::kServe
             : Phase::kStart;
}

int RunProfile(const ProfileOptions& options) {
  Expected<RecordOptions> record = ToRecordOptions(options);
  if (!record.has_value()) {
    return ReportInputError(record.error());
  }
  Expected<RecordingDestination> destination = Prepare(options);
  if (!destination.has_value()) {
    return ReportInputError(destination.error());
  }
  const std::optional<Recording>& existing = destination->existing;
  if (!options.further.empty()) {
    if (!existing) {
      return ReportInputError(InvalidInput(
          fmt::format("--exec: there is no recording {} to add to; record the workload itself "
                      "first",
                      Quote(options.append))));
    }
    record->first_phase = PhaseOfFurther(*existing);
  }
  std::optional<ProgressLine> line;
  if (!options.quiet && ProgressLine::Fits(STDERR_FILENO)) {
    line.emplace(STDERR_FILENO);
    record->watcher = &*line;
  }
  Expected<LearningRun> run =
      options.pid ? RecordProcess(*options.pid, *record) : RecordRun(*record);
  line.reset();
  if (!run.has_value()) {
    return ReportError(run.error());
  }
  if (const auto* const not_executed = std::get_if<NotExecuted>(&run->outcome)) {
    ReportWarning(SystemError(not_executed->sys_errno, fmt::format("{} could not be executed",
                                                                   Quote(options.command.front())))
                      .message +
                  "; nothing was recorded");
    return ExitStatus(run->outcome);
  }
  Recording result = run->recording;
  if (existing) {
    result.Merge(*existing);
  }
  // What earlier runs learned must not be lost with a machine; one run can be made again.
  const Durability durability = existing ? Durability::kSynced : Durability::kUnsynced;
  if (const Status written = WriteTo(*destination, WriteRecording(result), durability);
      !written.has_value()) {
    (void)ReportError(written.error());
    return kCannot;
  }
  if (options.stats) {
    SayStats(*run);
  }
  if (!options.quiet) {
    if (!options.tier.empty() && options.tier != Name(run->tier)) {
      ReportWarning(run->tier == TraceTier::kExact
                        ? "the trace filter could not be installed here: the exact tier was used"
                        : "there are no stubs for this architecture: the filtered tier was used");
    }
    SaySummary(options, *run, *destination);
  }
  return options.pid ? kOk : ExitStatus(run->outcome);
}

}  // namespace

void AddProfileCommand(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<ProfileOptions>();
  CLI::App* profile = app.add_subcommand("profile", "Run a command and record what it does");
  profile
      ->add_option("-o,--output", options->output,
                   "Write the recording here (default: ./COMMAND.recording.json)")
      ->type_name("FILE");
  CLI::Option* append =
      profile->add_option("--append", options->append, "Add to this recording, if it exists")
          ->type_name("FILE");
  profile->add_option("--timeout", options->timeout, "End the run after this time: 30s, 5m, 500ms")
      ->type_name("DURATION");
  CLI::Option* pid =
      profile
          ->add_option("--pid", options->pid,
                       "Attach to this running process, all its threads and children, instead of "
                       "running a command; Ctrl-C or --timeout lets go of them")
          ->check(CLI::PositiveNumber)
          ->type_name("PID");
  profile
      ->add_option("--tier", options->tier, "How calls are seen; default: filtered where it works")
      ->check(CLI::IsMember({"exact", "filtered", "fast"}))
      ->excludes(pid);
  profile
      ->add_option("--serving-when", options->serving_when,
                   "Where the start ends and serving begins: at the first listen(2), when the "
                   "workload says so through NOTIFY_FD or NOTIFY_SOCKET, or when cordon gets "
                   "SIGUSR1")
      ->type_name("listen|ready-fd|signal:USR1");
  profile
      ->add_option("--exec", options->further,
                   "Learn a further command of the workload in the --append recording, such as a "
                   "health check, a reload or docker exec, under this name")
      ->needs(append)
      ->type_name("NAME");
  profile->add_flag("--no-io-uring", options->no_io_uring,
                    "Make io_uring_setup fail with ENOSYS, so that programs fall back to calls "
                    "that can be seen");
  profile->add_flag("--quiet", options->quiet, "Print no summary and no progress line");
  profile->add_flag("--stats", options->stats, "Print how much was traced");
  profile->add_flag("--until-exit", options->until_exit,
                    "End what the command leaves behind when it exits");
  profile->footer(
      "The command follows: cordon profile [OPTIONS] -- COMMAND [ARGUMENT]...\n"
      "It has cordon's terminal, environment and exit status (128+N for signal N). Ctrl-C reaches "
      "it; a second\n"
      "Ctrl-C, or --timeout, ends it (SIGTERM, SIGKILL after 5 s), and the recording is written "
      "all "
      "the same.\n"
      "\n"
      "  cordon profile --timeout 60s --serving-when listen -- nginx -g 'daemon off;'\n"
      "  cordon profile --append nginx.recording.json --exec reload -- nginx -s reload\n"
      "  cordon profile --pid $(cat /run/nginx.pid) --timeout 60s\n"
      "\n"
      "With --pid nothing is ended: it is let go of as it is, and cordon exits 0.");
  profile->prefix_command();  // the first word that is no option begins the command
  profile->callback([profile, options, &exit_code] {
    if (!options->pid) {
      options->command = WorkloadCommand(*profile);
    } else if (HasWorkload(*profile)) {
      throw CLI::ValidationError("profile", "--pid and a command exclude each other");
    }
    exit_code = RunProfile(*options);
  });
}

}  // namespace cordon::cli
