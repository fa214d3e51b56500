#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/container_trial.h"
#include "cli/interruption.h"
#include "cli/print_document.h"
#include "cli/report_error.h"
#include "cli/workload_arguments.h"
#include "common/file.h"
#include "common/text.h"
#include "generator/calibration.h"
#include "model/seccomp_compiler.h"

namespace cordon::cli {
namespace {

struct CalibrateOptions {
  std::string engine;
  std::string output;
  std::vector<std::string> program;
};

const std::map<std::string, Engine> kEngines = {{"docker", Engine::kDocker},
                                                {"podman", Engine::kPodman},
                                                {"crun", Engine::kCrun},
                                                {"runc", Engine::kRunc}};

/// Every call that a profile can name here.
SyscallNames Candidates() {
  SyscallNames names;
  for (const auto& [number, name] : SyscallsOf(NativeArchitecture())) {
    if (LibseccompKnows(name)) {
      names.emplace(name);
    }
  }
  return names;
}

/// Of a runtime's calls: those that every start shows, or those that may come at any time.
enum class Occurrence : std::uint8_t { kEachStart, kAnyTime };

SyscallNames NamesOf(const std::vector<RuntimeCalls>& groups, Occurrence occurrence) {
  SyscallNames names;
  for (const RuntimeCalls& calls : groups) {
    if (calls.at_any_time == (occurrence == Occurrence::kAnyTime)) {
      names.insert(calls.names.begin(), calls.names.end());
    }
  }
  return names;
}

std::string Difference(const SyscallNames& left, const SyscallNames& right) {
  std::vector<std::string> only_left;
  std::ranges::set_difference(left, right, std::back_inserter(only_left));
  return only_left.empty() ? "none" : Join(only_left, " ");
}

/// What is known of this release, or, where it is not, of any.
std::vector<RuntimeCalls> KnownCalls(const BaseSets& sets, const ContainerTrial& trial,
                                     NoNewPrivileges mode) {
  const auto found = sets.runtimes.find(trial.runtime());
  if (found == sets.runtimes.end()) {
    return {};
  }
  const std::optional<RuntimeVersion> version = ParseRuntimeVersion(trial.version());
  std::vector<RuntimeCalls> known = CallsOf(found->second, version, mode);
  return known.empty() ? CallsOf(found->second, std::nullopt, mode) : known;
}

/// What is needed to run a program, and besides to execute another.
Expected<std::vector<RuntimeCalls>> Measure(ContainerTrial& trial, const BaseSets& sets,
                                            NoNewPrivileges mode) {
  const std::vector<RuntimeCalls> known = KnownCalls(sets, trial, mode);
  const SyscallNames assumed = NamesOf(known, Occurrence::kAnyTime);
  const SyscallNames expected = NamesOf(known, Occurrence::kEachStart);
  SyscallNames needed;
  std::vector<RuntimeCalls> groups;
  unsigned experiments = 0;
  for (const Entry entry : {Entry::kRun, Entry::kExec}) {
    ASSIGN_OR_RETURN(
        const Calibration found,
        Calibrate(
            {.candidates = Candidates(), .likely = expected, .assumed = assumed},
            [&](const SyscallNames& allowed) -> Expected<bool> {
              Expected<bool> starts = trial.Starts(allowed, mode, entry);
              // A start that a signal ended says nothing of the filter.
              if (const int signal = Interruption::Signal(); signal != 0) {
                return Fail(MakeError(
                    ErrorCode::kSystem,
                    fmt::format("ended by signal {} before everything was measured", signal)));
              }
              return starts;
            }));
    experiments += found.experiments;
    RuntimeCalls calls;
    std::ranges::set_difference(found.needed, needed, std::back_inserter(calls.names));
    needed.insert(found.needed.begin(), found.needed.end());
    calls.reason = fmt::format("measured: {}, no_new_privileges {}",
                               entry == Entry::kRun ? "no container starts without it"
                                                    : "no `exec` in a container without it",
                               NoNewPrivilegesName(mode));
    calls.no_new_privileges = mode;
    if (!calls.names.empty()) {
      groups.push_back(std::move(calls));
    }
  }
  SyscallNames all_known = expected;
  all_known.insert(assumed.begin(), assumed.end());
  (void)std::fprintf(
      stderr, "%s\n",
      fmt::format("cordon: {} {}, no_new_privileges {}: {} calls are needed, found in {} "
                  "experiments; not in the known set: {}; known and not needed here: {}",
                  trial.runtime(), trial.version(), NoNewPrivilegesName(mode), needed.size(),
                  experiments, Difference(needed, all_known), Difference(expected, needed))
          .c_str());
  return groups;
}

Expected<std::string> Calibrated(const CalibrateOptions& options) {
  ASSIGN_OR_RETURN(const BaseSets sets, LoadBaseSets());
  ASSIGN_OR_RETURN(ContainerTrial trial,
                   ContainerTrial::Create(kEngines.at(options.engine), options.program));
  const std::optional<RuntimeVersion> version = ParseRuntimeVersion(trial.version());
  if (!version) {
    return Fail(MakeError(
        ErrorCode::kUnsupported,
        "the version of " + trial.runtime() + " cannot be told from " + Quote(trial.version())));
  }
  std::vector<RuntimeCalls> groups;
  for (const NoNewPrivileges mode : {NoNewPrivileges::kOn, NoNewPrivileges::kOff}) {
    ASSIGN_OR_RETURN(std::vector<RuntimeCalls> measured, Measure(trial, sets, mode));
    std::ranges::move(measured, std::back_inserter(groups));
  }
  for (const RuntimeCalls& calls : KnownCalls(sets, trial, NoNewPrivileges::kEither)) {
    if (calls.at_any_time) {
      groups.push_back(calls);
      groups.back().reason += " (known, not measured)";
    }
  }
  for (RuntimeCalls& calls : groups) {
    calls.first = *version;
    calls.last = *version;
    calls.versions = fmt::format("{}.{}", version->major, version->minor);
  }
  return WriteBaseSet(trial.runtime(), trial.version(), groups);
}

int Calibrate(CalibrateOptions options) {
  if (options.program.empty()) {
    options.program = {options.engine};
  }
  const Interruption interruption;
  const Expected<std::string> base_set = Calibrated(options);
  if (!base_set) {
    (void)ReportError(base_set.error());
    return Interruption::Signal() != 0 ? 128 + Interruption::Signal() : kCannot;
  }
  if (options.output.empty()) {
    return PrintDocument(*base_set, kOk);
  }
  const Status written = WriteFileAtomically(options.output, *base_set);
  return written ? kOk : ReportInputError(written.error());
}

}  // namespace

void AddCalibrateCommand(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand(
      "calibrate", "Measure which system calls a container runtime makes under its filter");
  auto options = std::make_shared<CalibrateOptions>();
  command
      ->add_option("--runtime", options->engine,
                   "What starts the containers: docker, podman, crun or runc")
      ->check(CLI::IsMember(kEngines))
      ->required();
  command
      ->add_option("-o,--output", options->output,
                   "The file to write, for generate --base-set (default: standard output)")
      ->type_name("FILE");
  command->footer(
      "A container whose program only ends is started under narrower and narrower filters, with "
      "and "
      "without no_new_privileges: some hundred starts. Where the runtime is not found by its name, "
      "its command follows: cordon calibrate --runtime podman -- podman --root /srv/podman");
  command->prefix_command();
  command->callback([command, options, &exit_code] {
    if (HasWorkload(*command)) {
      options->program = WorkloadCommand(*command);
    }
    exit_code = Calibrate(*options);
  });
}

}  // namespace cordon::cli
