#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/load_recording.h"
#include "cli/parse_duration.h"
#include "cli/report_error.h"
#include "cli/workload_arguments.h"
#include "common/file.h"
#include "common/text.h"
#include "model/recording_json.h"
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
  std::vector<std::string> command;
};

/// Where the recording goes, and what is there already.
struct Destination {
  std::string path;
  bool in_place = false;  ///< a device or pipe: written to, not replaced
  std::optional<Recording> existing;
};

void Say(const std::string& message) {
  const std::string line = fmt::format("cordon: {}\n", message);
  (void)std::fwrite(line.data(), 1, line.size(), stderr);
}

std::string DefaultOutput(const std::string& command) {
  const std::string name = std::filesystem::path(command).filename().string();
  return fmt::format("{}.recording.json", name.empty() ? "workload" : name);
}

/// Finds out before anything runs whether the recording can be written at the end.
Expected<Destination> Prepare(const ProfileOptions& options) {
  Destination destination;
  destination.path = !options.output.empty()   ? options.output
                     : !options.append.empty() ? options.append
                                               : DefaultOutput(options.command.front());
  if (!options.append.empty() && ::access(options.append.c_str(), F_OK) == 0) {
    ASSIGN_OR_RETURN(destination.existing, LoadRecording(options.append));
  }
  const std::string& path = destination.path;
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) {
      return Fail(SystemError(EISDIR, fmt::format("write {}", Quote(path))));
    }
    destination.in_place = !S_ISREG(status.st_mode);
  }
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const std::string& probe = destination.in_place ? path : folder.empty() ? "." : folder;
  const int wanted = destination.in_place ? W_OK : W_OK | X_OK;
  if (::faccessat(AT_FDCWD, probe.c_str(), wanted, AT_EACCESS) != 0) {
    return Fail(SystemError(errno, fmt::format("write {}", Quote(path))));
  }
  return destination;
}

Status Write(const Destination& destination, const std::string& document) {
  if (!destination.in_place) {
    return WriteFileAtomically(destination.path, document);
  }
  ASSIGN_OR_RETURN(const UniqueFd fd, OpenAt(AT_FDCWD, destination.path, O_WRONLY));
  std::string_view rest = document;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd.get(), rest.data(), rest.size());
    if (written < 0) {
      return Fail(SystemError(errno, fmt::format("write {}", Quote(destination.path))));
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
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
  if (options.tier == Name(TraceTier::kExact)) {
    record.tier = TraceTier::kExact;
  } else if (options.tier == Name(TraceTier::kFiltered)) {
    record.tier = TraceTier::kFiltered;
  }
  return record;
}

std::string Count(std::size_t number, std::string_view noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

void SaySummary(const LearningRun& run, const Destination& destination) {
  const Recording& recording = run.recording;
  const std::set<Limitation>& limitations = recording.runs.begin()->second.limitations;
  Say(fmt::format(
      "{}: {}, {}, {}, {}{}{}", destination.path, Count(recording.syscalls.size(), "system call"),
      Count(recording.files.size(), "file"), Count(recording.sockets.size(), "socket use"),
      Count(recording.processes.size(), "program"),
      limitations.empty() ? "" : fmt::format("; {}", Count(limitations.size(), "limitation")),
      run.ended_early ? "; the run was ended early" : ""));
  for (const Limitation& limitation : limitations) {
    ReportWarning(fmt::format("{}: {}", limitation.kind, limitation.detail));
  }
}

void SayStats(const LearningRun& run) {
  Say(fmt::format("{} tier, {} ms: {} calls, {} stops, {} tasks ({} with a filter of their own)",
                  Name(run.tier), run.duration.count(), run.counts.calls, run.counts.stops,
                  run.counts.tasks, run.counts.exact_tasks));
}

int RunProfile(const ProfileOptions& options) {
  Expected<RecordOptions> record = ToRecordOptions(options);
  if (!record.has_value()) {
    return ReportInputError(record.error());
  }
  Expected<Destination> destination = Prepare(options);
  if (!destination.has_value()) {
    return ReportInputError(destination.error());
  }
  Expected<LearningRun> run = RecordRun(*record);
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
  if (destination->existing) {
    result.Merge(*destination->existing);
  }
  if (const Status written = Write(*destination, WriteRecording(result)); !written.has_value()) {
    (void)ReportError(written.error());
    return kCannot;
  }
  if (options.stats) {
    SayStats(*run);
  }
  if (!options.quiet) {
    if (options.tier == Name(TraceTier::kFiltered) && run->tier == TraceTier::kExact) {
      ReportWarning("the trace filter could not be installed here: the exact tier was used");
    }
    SaySummary(*run, *destination);
  }
  return ExitStatus(run->outcome);
}

}  // namespace

void AddProfileCommand(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<ProfileOptions>();
  CLI::App* profile = app.add_subcommand("profile", "Run a command and record what it does");
  profile
      ->add_option("-o,--output", options->output,
                   "Write the recording here (default: ./COMMAND.recording.json)")
      ->type_name("FILE");
  profile->add_option("--append", options->append, "Add to this recording, if it exists")
      ->type_name("FILE");
  profile->add_option("--timeout", options->timeout, "End the run after this time: 30s, 5m, 500ms")
      ->type_name("DURATION");
  profile
      ->add_option("--tier", options->tier, "How calls are seen; default: filtered where it works")
      ->check(CLI::IsMember({"exact", "filtered"}));
  profile->add_flag("--quiet", options->quiet, "Print no summary");
  profile->add_flag("--stats", options->stats, "Print how much was traced");
  profile->add_flag("--until-exit", options->until_exit,
                    "End what the command leaves behind when it exits");
  profile->footer("The command follows: cordon profile [OPTIONS] -- COMMAND [ARGUMENT]...");
  profile->prefix_command();  // the first word that is no option begins the command
  profile->callback([profile, options, &exit_code] {
    options->command = WorkloadCommand(*profile);
    exit_code = RunProfile(*options);
  });
}

}  // namespace cordon::cli
