#include <fmt/format.h>
#include <linux/seccomp.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <set>

#include "cli/command.h"
#include "cli/detached_run.h"
#include "cli/device_options.h"
#include "cli/limit_options.h"
#include "cli/load_policy.h"
#include "cli/parse_run_values.h"
#include "cli/print_document.h"
#include "cli/report_error.h"
#include "cli/run_root_options.h"
#include "cli/terminal_options.h"
#include "cli/violation_log.h"
#include "cli/workload_arguments.h"
#include "common/text.h"
#include "model/bpf_interpreter.h"
#include "model/default_sandbox.h"
#include "model/serving_when.h"
#include "runtime/device_rules.h"
#include "runtime/host_features.h"
#include "runtime/landlock_log.h"
#include "runtime/launch_plan.h"
#include "runtime/mount_labels.h"
#include "runtime/sandbox.h"
#include "runtime/sandbox_place.h"
#include "runtime/selinux_label.h"
#include "runtime/terminal_relay.h"

namespace cordon::cli {
namespace {

/// The command line as it was given; what is empty was not.
struct RunOptions {
  std::string policy;
  std::string name;
  RunRootOptions root;
  std::string hostname;
  LimitOptions limits;
  std::string cgroup_parent;
  std::string cgroup_manager;
  std::vector<std::string> devices;
  std::vector<std::string> device_rules;
  std::vector<std::string> publish;
  std::string network;
  std::string time_offset;
  std::string ipc = "private";
  std::string require;
  std::vector<std::string> allow_degraded;
  std::string report = "live";
  std::string serving_when;
  bool audit = false;
  std::string recording;
  std::string report_file;
  bool terminal = false;
  bool interactive = false;
  bool detach = false;
  bool remove = false;
  std::string log_size;
  std::vector<std::string> command;
};

std::string WorkingDirectory() {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::current_path(error);
  return error ? std::string() : path.string();
}

std::vector<std::string> Environment() {
  std::vector<std::string> list;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    list.emplace_back(*entry);
  }
  return list;
}

Status ApplyLimits(const RunOptions& options, LaunchRequest& request) {
  ASSIGN_OR_RETURN(const ResourceLimits asked, ParseLimits(options.limits));
  request.config.limits = ChangeLimits(request.config.limits, asked);
  request.limit_origins = OriginsOfChange(asked);
  request.cgroup_parent = options.cgroup_parent;
  return {};
}

/// A device that is named is one more than a sandbox has anyway, or the policy gives it.
Status ApplyDevices(const RunOptions& options, LaunchRequest& request) {
  ASSIGN_OR_RETURN(Devices asked, ParseDevices(options.devices, options.device_rules));
  if (asked.rules.empty()) {
    return {};
  }
  std::vector<DeviceRule>& rules = request.config.limits.devices;
  if (rules.empty()) {
    rules = OrdinaryDevices();
  }
  rules.insert(rules.end(), asked.rules.begin(), asked.rules.end());
  request.limit_origins.devices = LimitOrigin::kAsked;
  request.volumes.insert(request.volumes.end(), asked.mounts.begin(), asked.mounts.end());
  return {};
}

Status ApplyNetwork(const RunOptions& options, SandboxConfig& config) {
  if (!options.network.empty()) {
    config.network = options.network == "host"      ? NetworkMode::kHost
                     : options.network == "private" ? NetworkMode::kPrivate
                                                    : NetworkMode::kNone;
    if (config.network == NetworkMode::kHost) {
      config.published.clear();
    }
  }
  if (!options.publish.empty()) {
    config.published.clear();
    for (const std::string& text : options.publish) {
      ASSIGN_OR_RETURN(const PublishedPort port, ParsePublish(text));
      config.published.push_back(port);
    }
  }
  return {};
}

Expected<LaunchRequest> MakeRequest(const RunOptions& options, const LoadedPolicy& policy) {
  LaunchRequest request;
  request.has_policy = !options.policy.empty();
  request.config = policy.bundle.config;
  request.config.arguments = options.command;
  if (!options.hostname.empty()) {
    request.config.hostname = options.hostname;
  }
  if (options.ipc == "host") {
    request.config.namespaces.erase(Namespace::kIpc);
  }
  if (!options.time_offset.empty()) {
    request.config.namespaces.insert(Namespace::kTime);
    ASSIGN_OR_RETURN(request.config.time_offsets, ParseTimeOffset(options.time_offset));
  }
  request.environment = Environment();
  if (options.terminal) {
    request.terminal = TerminalRelay::SizeOf(STDIN_FILENO);
    if (std::getenv("TERM") == nullptr) {
      request.environment.emplace_back("TERM=xterm");
    }
  }
  request.working_directory = WorkingDirectory();
  request.filter = policy.filter;
  request.enforcement = options.audit ? Enforcement::kAudit : Enforcement::kEnforce;
  request.reports = options.report == "none" ? ViolationReports::kNone : ViolationReports::kLive;
  if (!options.require.empty()) {
    request.required_holder =
        options.require == "selinux" ? FileHolder::kSelinux : FileHolder::kLandlock;
  }
  for (const std::string& part : options.allow_degraded) {
    request.degraded.insert(part == "files"     ? PolicyPart::kFiles
                            : part == "seccomp" ? PolicyPart::kSeccomp
                            : part == "ipc"     ? PolicyPart::kIpc
                                                : PolicyPart::kLimits);
  }
  RETURN_IF_ERROR(ApplyLimits(options, request));
  RETURN_IF_ERROR(ApplyDevices(options, request));
  RETURN_IF_ERROR(ApplyNetwork(options, request.config));
  RETURN_IF_ERROR(ApplyRootOptions(options.root, request));
  return request;
}

Error NameModule(Error error, const RunOptions& options) {
  if (error.code == ErrorCode::kNotFound) {
    error.message += ": load the policy's module first (semodule -i " + options.policy + "/*.cil)";
    error.code = ErrorCode::kUnsupported;
  }
  return error;
}

using Say = std::function<void(const std::string& line)>;

/// "64M", or in bytes what is no whole number of mebibytes.
std::string SizeText(std::uint64_t bytes) {
  constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;
  return bytes % kMebibyte == 0 ? fmt::format("{}M", bytes / kMebibyte)
                                : fmt::format("{} bytes", bytes);
}

/// What the limits did to the command.
void ReportLimits(const SandboxResult& result, const Say& say) {
  if (result.oom_kills != 0) {
    const auto& limit = result.limits.memory_bytes;
    say(fmt::format(
        "the kernel killed {} of its processes for want of memory{}: --memory gives it more",
        result.oom_kills,
        limit && *limit != kUnlimited ? ", under a limit of " + SizeText(*limit) : ""));
  }
  if (result.tasks_refused != 0) {
    const auto& limit = result.limits.pids;
    say(fmt::format("{} times a task more was refused{}: --pids allows more", result.tasks_refused,
                    limit && *limit != kUnlimited ? fmt::format(" than {}", *limit) : ""));
  }
}

void ReportOutcome(const SandboxResult& result, const RunOptions& options, const LaunchPlan& plan,
                   const Say& say) {
  if (result.unreported_violations != 0) {
    say(fmt::format("{} violations in all, {} of them not reported one by one", result.violations,
                    result.unreported_violations));
  }
  ReportLimits(result, say);
  if (const auto* not_executed = std::get_if<NotExecuted>(&result.outcome)) {
    const bool refused = not_executed->sys_errno == EACCES || not_executed->sys_errno == EPERM;
    say(SystemError(not_executed->sys_errno, plan.arguments.front()).message +
        (refused && !plan.selinux_label.empty()
             ? "; SELinux may have refused to start it in " + plan.selinux_label +
                   ", which the domain's entry programs only may be: ausearch -m avc, or dmesg, "
                   "shows why"
             : ""));
  } else if (!options.serving_when.empty() && !result.served) {
    say("warning: --serving-when " + options.serving_when +
        ": that never came, so nothing of its start was withheld");
  }
}

/// "redis-server-a1b2c3": what runs, and what tells it from others.
std::string GeneratedName(const std::string& command) {
  std::string name = std::filesystem::path(command).filename().string();
  std::erase_if(name, [](char c) {
    return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-';
  });
  constexpr std::size_t kKept = 32;
  name = name.substr(0, kKept);
  if (name.empty() || name.front() == '-') {
    name.insert(0, "sandbox");
  }
  std::random_device random;
  return fmt::format("{}-{:06x}", name, random() & 0xffffff);
}

/// A place to be found at. One that was not asked for by name may be missing, with a warning,
/// unless there is no other way to find the sandbox.
Expected<std::optional<SandboxPlace>> MakePlace(const RunOptions& options,
                                                const std::string& name) {
  Expected<SandboxPlace> place = SandboxPlace::Create(name);
  if (place) {
    return std::optional(*std::move(place));
  }
  if (!options.name.empty() || options.detach) {
    return Fail(place.error());
  }
  ReportWarning("cordon list will not show this sandbox: " + place.error().message);
  return std::optional<SandboxPlace>();
}

/// Of --log-size.
Expected<std::uint64_t> LogBytes(const RunOptions& options) {
  if (options.log_size.empty()) {
    return kDefaultLogBytes;
  }
  const Expected<std::uint64_t> bytes = ParseSize("--log-size", options.log_size);
  if (!bytes || *bytes < SandboxLog::kMinLimitBytes) {
    return Fail(InvalidInput("--log-size takes at least 256k, as in 8M or 1G, not " +
                             Quote(options.log_size)));
  }
  return *bytes;
}

std::string NetworkName(NetworkMode mode) {
  return mode == NetworkMode::kHost ? "host" : mode == NetworkMode::kPrivate ? "private" : "none";
}

SandboxState FactsOf(const RunOptions& options, const std::optional<SandboxPlace>& place,
                     const SandboxConfig& config) {
  SandboxState facts;
  facts.name = place ? place->name() : "";
  facts.policy = options.policy;
  facts.network = NetworkName(config.network);
  return facts;
}

/// Which filter the options want; fails for options that contradict each other.
Expected<FilterVariant> VariantOf(const RunOptions& options) {
  if (options.serving_when.empty()) {
    return options.report == "none" ? FilterVariant::kPlain : FilterVariant::kNotifying;
  }
  if (options.policy.empty()) {
    return Fail(
        InvalidInput("--serving-when: without --policy nothing is withheld when it serves"));
  }
  if (options.report == "none") {
    return Fail(InvalidInput(
        "--serving-when needs cordon to decide calls while the command runs, so it cannot be "
        "combined with --report none"));
  }
  return FilterVariant::kTwoPhases;
}

/// Does `filter` let seccomp(2) make a second listener, which a chain of filters cannot have
/// (seccomp_unotify(2))?
bool AllowsOwnListener(const std::vector<sock_filter>& filter) {
  const auto number = SyscallNumber(NativeArchitecture(), "seccomp");
  if (!number) {
    return false;
  }
  SyscallInvocation call{{NativeArchitecture(), *number}, {}};
  call.arguments[0] = SECCOMP_SET_MODE_FILTER;
  call.arguments[1] = SECCOMP_FILTER_FLAG_NEW_LISTENER;
  const Expected<std::uint32_t> answer = InterpretBpf(filter, call);
  return answer.has_value() && (*answer & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ALLOW;
}

Expected<LoadedPolicy> LoadPolicyFor(const RunOptions& options) {
  ASSIGN_OR_RETURN(const FilterVariant variant, VariantOf(options));
  LoadedPolicy policy;
  if (options.policy.empty()) {
    policy.bundle.config = DefaultSandbox();
    ReportWarning(
        "no --policy: the command gets namespaces, no_new_privs and few capabilities, but no "
        "seccomp or file rule");
    return policy;
  }
  ASSIGN_OR_RETURN(policy, LoadPolicy(options.policy, variant,
                                      options.audit ? FilterUse::kAudit : FilterUse::kEnforce));
  if (!policy.recompiled_because.empty()) {
    const bool two = variant == FilterVariant::kTwoPhases;
    ReportWarning(options.policy + "/" + std::string(two ? kServingBpfFile : kSeccompBpfFile) +
                  ": compiled anew from " + std::string(two ? kServingFile : kSeccompFile) + ": " +
                  policy.recompiled_because);
  }
  if (variant != FilterVariant::kPlain && AllowsOwnListener(policy.filter)) {
    ReportWarning(options.policy +
                  ": it allows a seccomp filter with a listener of the workload's own, which fails "
                  "with EBUSY: there is one listener, and cordon has it; --report none leaves it "
                  "to the workload");
  }
  const std::optional<ServingPart>& serving = policy.bundle.serving;
  if (variant == FilterVariant::kTwoPhases && serving &&
      !serving->when.contains(options.serving_when)) {
    const std::set<std::string>& when = serving->when;
    ReportWarning(
        fmt::format("--serving-when {}: the policy was learned with {}, so the boundary "
                    "may come where its phases do not part",
                    options.serving_when, Join({when.begin(), when.end()}, ", ")));
  }
  return policy;
}

CgroupManager ManagerOf(const RunOptions& options) {
  return options.cgroup_manager == "systemd"    ? CgroupManager::kSystemd
         : options.cgroup_manager == "cgroupfs" ? CgroupManager::kFolders
                                                : CgroupManager::kAsHost;
}

struct PlannedRun {
  LaunchPlan plan;
  std::optional<ScopePlan> scope;
};

Expected<PlannedRun> MakePlan(const RunOptions& options, LaunchRequest request) {
  ASSIGN_OR_RETURN(const HostFeatures host, ProbeHost());
  PlannedRun planned;
  ASSIGN_OR_RETURN(planned.scope,
                   PlanScope(ManagerOf(options), request.cgroup_parent, host.cgroups, host.uid));
  if (planned.scope) {
    request.cgroup_parent.clear();  // it is the scope's
  }
  ASSIGN_OR_RETURN(planned.plan, PlanLaunch(request, host));
  return planned;
}

/// What detaching came to: the process that goes on has the detachment and no exit code, the one
/// that returns the opposite. Without --detach neither.
struct Detached {
  std::optional<int> exit_code;
  std::optional<Detachment> detachment;
  std::uint64_t log_bytes = kDefaultLogBytes;
};

Detached Detach(const RunOptions& options, const std::string& name) {
  Detached detached;
  if (!options.detach) {
    return detached;
  }
  const Expected<std::uint64_t> size = LogBytes(options);
  if (!size) {
    detached.exit_code = ReportError(size.error());
    return detached;
  }
  detached.log_bytes = *size;
  int exit_code = kCannot;
  Expected<std::optional<Detachment>> begun = Detachment::Begin(exit_code);
  if (!begun) {
    detached.exit_code = ReportError(begun.error());
  } else if (!*begun) {
    if (exit_code == kOk) {
      exit_code = PrintDocument(name + "\n", kOk);
    }
    detached.exit_code = exit_code;
  } else {
    detached.detachment = std::move(*begun);
  }
  return detached;
}

/// That the loaded SELinux policy knows the plan's domain and lets it be entered; labels the
/// mounts.
Status PrepareDomain(const RunOptions& options, LaunchPlan& plan) {
  if (plan.selinux_label.empty()) {
    return {};
  }
  if (const Status known = CheckSelinuxLabel(plan.selinux_label); !known) {
    return Fail(NameModule(known.error(), options));
  }
  RETURN_IF_ERROR(CheckSelinuxTransition(plan));
  LabelMounts(plan);
  return {};
}

void Announce(const LaunchPlan& plan) {
  for (const std::string& warning : plan.warnings) {
    ReportWarning(warning);
  }
  if (plan.file_holder == FileHolder::kLandlock) {
    const Status seen =
        plan.listener ? CanSeeRefusalsOfLandlock() : Fail(InvalidInput("--report none"));
    PrintLine(plan.file_part +
              (seen ? ", and is reported" : ", and is not reported: " + seen.error().message));
  } else if (!plan.file_part.empty()) {
    PrintLine(plan.file_part);
  }
}

Expected<SeccompPolicy> ReadServing(const PolicyBundle& bundle) {
  if (!bundle.serving) {
    return Fail(InvalidInput("the policy has no filter for two phases"));
  }
  return ReadSeccompOf(*bundle.serving);
}

Status CheckOptions(const RunOptions& options) {
  if (options.terminal && ::isatty(STDIN_FILENO) == 0) {
    return Fail(InvalidInput(kNoTerminal));
  }
  if (!options.recording.empty() && (!options.audit || options.policy.empty())) {
    return Fail(InvalidInput(
        "--recording: only an audit of a policy is recorded: give --policy and --audit"));
  }
  if (!options.report_file.empty() && (options.report == "none" || options.policy.empty())) {
    return Fail(InvalidInput(
        "--report-file: nothing is reported without --policy, nor with --report none"));
  }
  return {};
}

ViolationLog::Options LogOptionsOf(const RunOptions& options, const LoadedPolicy& policy) {
  ViolationLog::Options log;
  log.recording = options.recording;
  log.report_file = options.report_file;
  log.command = options.command;
  log.serving_when = ServingWhenFromName(options.serving_when).value_or(ServingWhen::kNever);
  log.has_two_phases = policy.bundle.serving.has_value();
  return log;
}

/// What the launch needs of the host's SELinux and files.
Status PrepareHost(const RunOptions& options, const std::optional<SandboxPlace>& place,
                   LaunchPlan& plan) {
  if (place && plan.root_path == "/") {
    plan.masked_paths.push_back(SandboxesFolder());
  }
  RETURN_IF_ERROR(PrepareDomain(options, plan));
  return LabelVolumes(options.root, plan.selinux_label);
}

/// Nothing: it stays in the foreground.
Expected<std::optional<DetachedRun>> PrepareDetached(const RunOptions& options,
                                                     std::optional<SandboxPlace>& place,
                                                     Detached& detaching) {
  if (!detaching.detachment || !place) {
    return std::optional<DetachedRun>();
  }
  ASSIGN_OR_RETURN(DetachedRun run,
                   DetachedRun::Prepare(*place, *std::move(detaching.detachment),
                                        options.remove ? AfterEnd::kRemove : AfterEnd::kKeep,
                                        detaching.log_bytes));
  return std::optional<DetachedRun>(std::move(run));
}

/// Both must outlive it.
Say SayWith(std::optional<DetachedRun>& detached, const TerminalRelay& relay) {
  return [&detached, &relay](const std::string& line) {
    // A terminal in raw mode goes down, but not back.
    detached ? detached->Say(line) : PrintLine(relay.begun() ? line + "\r" : line);
  };
}

int Run(const RunOptions& options) {
  if (const Status sensible = CheckOptions(options); !sensible) {
    return ReportInputError(sensible.error());
  }
  const Expected<LoadedPolicy> loaded = LoadPolicyFor(options);
  if (!loaded) {
    return ReportInputError(loaded.error());
  }
  const LoadedPolicy& policy = *loaded;
  const Expected<LaunchRequest> request = MakeRequest(options, policy);
  if (!request) {
    return ReportInputError(request.error());
  }
  Expected<PlannedRun> planned = MakePlan(options, *request);
  if (!planned) {
    return ReportError(planned.error());
  }
  LaunchPlan* const plan = &planned->plan;
  const std::string name =
      options.name.empty() ? GeneratedName(options.command.front()) : options.name;
  Detached detaching = Detach(options, name);
  if (detaching.exit_code) {
    return *detaching.exit_code;
  }
  // What was open before is not open any more in who goes on after detaching.
  Expected<ViolationLog> log = ViolationLog::Open(LogOptionsOf(options, policy));
  if (!log) {
    return ReportInputError(log.error());
  }
  Expected<std::optional<SandboxPlace>> made = MakePlace(options, name);
  if (!made) {
    return ReportError(made.error());
  }
  std::optional<SandboxPlace>& place = *made;
  if (const Status prepared = PrepareHost(options, place, *plan); !prepared) {
    return ReportError(prepared.error());
  }
  Announce(*plan);
  Expected<std::optional<DetachedRun>> behind = PrepareDetached(options, place, detaching);
  if (!behind) {
    return ReportError(behind.error());
  }
  std::optional<DetachedRun>& detached = *behind;
  TerminalRelay relay(STDIN_FILENO, STDOUT_FILENO);
  const Say say = SayWith(detached, relay);
  SandboxOptions sandbox{
      .policy = [&policy] { return ReadSeccompOf(policy.bundle); },
      .serving_policy = [&policy] { return ReadServing(policy.bundle); },
      .serving_when = ServingWhenFromName(options.serving_when).value_or(ServingWhen::kNever),
      .enforcement = request->enforcement,
      .control_listener = place ? place->listener() : -1,
      .facts = FactsOf(options, place, request->config),
      .limits_held = request->degraded.contains(PolicyPart::kLimits) ? LimitsHeld::kWherePossible
                                                                     : LimitsHeld::kAll,
      .scope = planned->scope,
      .late_signals = LateSignals::kIgnored,
      .streams = {},
      .output = nullptr,
      .terminal = options.terminal ? &relay : nullptr,
      .on_executed = {},
      .on_ended = {},
      .audited_files = policy.bundle.config.landlock,
      .on_violation =
          [&say, &log](const Violation& violation) {
            say(Describe(violation));
            if (const Status written = log->Report(violation); !written) {
              say(written.error().message);
            }
          },
      .on_audited = [&log](const Violation& violation) { log->Note(violation); },
      .on_serving =
          [&say, &log, &options] {
            say(options.audit ? "it serves: what only its start needed is reported from here on"
                              : "it serves: what only its start needed is refused from here on");
            log->BeginServing();
          },
      .on_warning = [&say](const std::string& warning) { say("warning: " + warning); },
  };
  if (detached) {
    detached->Attach(sandbox);
  }
  const Expected<SandboxResult> result = RunSandbox(*plan, sandbox);
  if (!result) {
    say(result.error().message);
    return kCannot;
  }
  ReportOutcome(*result, options, *plan, say);
  const Expected<std::string> written = log->Finish(result->outcome);
  if (!written) {
    say(written.error().message);
    return kCannot;
  }
  if (!written->empty()) {
    say(*written);
  }
  return ExitStatus(result->outcome);
}

}  // namespace

void AddRunCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* run = app.add_subcommand("run", "Run a command isolated, and held to a policy");
  run->add_option("--policy", options->policy, "Folder that generate wrote")->type_name("DIR");
  run->add_option(
         "--name", options->name,
         "What list, inspect, exec and kill call it (default: the command's, and a number)")
      ->type_name("NAME");
  AddRootOptions(*run, options->root);
  run->add_option("--hostname", options->hostname, "Host name inside")->type_name("H");
  run->add_option("--publish", options->publish,
                  "Port of the host that leads inside; UDP with --network private")
      ->type_name("[ADDRESS:]HOST:CTR[/udp]")
      ->allow_extra_args(false);
  run->add_option("--network", options->network,
                  "none, host or private (default: what the policy needs, else none)")
      ->check(CLI::IsMember({"none", "host", "private"}));
  run->add_option("--time-offset", options->time_offset,
                  "What its clocks are ahead of the host's, in seconds")
      ->type_name("boottime=N,monotonic=N");
  run->add_option("--ipc", options->ipc, "private or host (with --allow-degraded ipc)")
      ->check(CLI::IsMember({"private", "host"}));
  run->add_option("--require", options->require, "Insist on what holds the file part")
      ->check(CLI::IsMember({"selinux", "landlock"}));
  run->add_option("--allow-degraded", options->allow_degraded,
                  "Run although this part of the policy cannot be held here")
      ->check(CLI::IsMember({"files", "limits", "ipc"}))
      ->allow_extra_args(false);
  run->add_option("--report", options->report,
                  "live: report each violation as it happens; none: refuse silently")
      ->check(CLI::IsMember({"live", "none"}));
  run->add_option("--serving-when", options->serving_when,
                  "When to refuse what only the start needed: at the first listen(2), when the "
                  "command writes to $NOTIFY_FD or sends READY=1 to $NOTIFY_SOCKET, or at SIGUSR1 "
                  "to cordon")
      ->check(CLI::IsMember({"listen", "ready-fd", "signal:USR1"}));
  run->add_flag("--audit", options->audit, "Refuse nothing, report every violation");
  run->add_option("--recording", options->recording,
                  "Where an audit writes what was outside the policy, for merge and generate")
      ->type_name("FILE");
  run->add_option("--report-file", options->report_file,
                  "Where each violation is written as it happens, too, as a line of JSON")
      ->type_name("FILE");
  CLI::Option* const tty = AddTerminalOptions(*run, options->terminal, options->interactive);
  CLI::Option* const detach =
      run->add_flag("-d,--detach", options->detach,
                    "Print the name and return once the command runs; cordon logs has its output");
  detach->excludes(tty);
  run->add_flag("--rm", options->remove, "Keep neither log nor outcome when it has ended")
      ->needs(detach);
  run->add_option("--log-size", options->log_size, "Most that its log may take (default: 8M)")
      ->type_name("SIZE")
      ->needs(detach);
  AddLimitOptions(*run, options->limits);
  run->add_option("--device", options->devices,
                  "Device to show and allow; others but the ordinary ones are refused then")
      ->type_name("DEVICE[:INSIDE][:rwm]")
      ->group("Limits")
      ->allow_extra_args(false);
  run->add_option("--device-rule", options->device_rules, "Devices to allow: 'c 10:229 rwm'")
      ->type_name("RULE")
      ->group("Limits")
      ->allow_extra_args(false);
  run->add_option("--cgroup-parent", options->cgroup_parent,
                  "Cgroup to make its cgroups in, from the root of each hierarchy: /services/web; "
                  "in systemd's scopes a slice: web.slice")
      ->type_name("PATH")
      ->group("Limits");
  run->add_option("--cgroup-manager", options->cgroup_manager,
                  "systemd or cgroupfs (default: systemd where it runs a machine of cgroup v2)")
      ->check(CLI::IsMember({"systemd", "cgroupfs"}))
      ->group("Limits");
  run->footer("The command follows: cordon run [OPTIONS] -- COMMAND [ARGUMENT]...");
  run->prefix_command();  // the first word that is no option begins the command
  run->callback([run, options, &exit_code] {
    options->command = WorkloadCommand(*run);
    exit_code = Run(*options);
  });
}

}  // namespace cordon::cli
