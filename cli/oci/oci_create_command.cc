#include <fcntl.h>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "cli/oci/oci_call.h"
#include "cli/oci/oci_container.h"
#include "cli/oci/oci_foreground.h"
#include "cli/oci/oci_learning.h"
#include "cli/oci/oci_monitor.h"
#include "cli/oci/oci_policy.h"
#include "cli/oci/oci_time.h"
#include "cli/oci/preserved_descriptors.h"
#include "common/file.h"
#include "common/text.h"
#include "model/oci_spec_json.h"
#include "runtime/host_features.h"
#include "runtime/host_root.h"
#include "runtime/oci_create.h"
#include "runtime/oci_policy.h"
#include "runtime/oci_seccomp.h"
#include "runtime/oci_start.h"
#include "runtime/oci_terminal.h"
#include "runtime/readonly_program.h"

namespace cordon::cli {
namespace {

struct CreateOptions {
  std::string id;
  std::string bundle = ".";
  std::string pid_file;
  std::string console_socket;
  unsigned preserve_fds = 0;
  bool no_pivot = false;
  bool no_new_keyring = false;
  bool detach = false;
  bool keep = false;
};

void AddOptions(CLI::App& command, CreateOptions& options) {
  command.add_option("-b,--bundle", options.bundle, "folder with config.json; default: this one");
  command.add_option("--pid-file", options.pid_file, "file to write the process id to");
  command.add_option("--console-socket", options.console_socket,
                     "AF_UNIX socket that gets the terminal");
  command.add_option("--preserve-fds", options.preserve_fds,
                     "so many descriptors beside the standard streams are handed on");
  command.add_flag("--no-pivot", options.no_pivot, "not supported: refused");
  command.add_flag("--no-new-keyring", options.no_new_keyring, "keep the caller's session keyring");
  command.add_option("container-id", options.id)->required();
}

Status CheckOptions(const CreateOptions& options, const OciCall& call) {
  if (options.no_pivot) {
    return Fail(
        MakeError(ErrorCode::kUnsupported,
                  "--no-pivot is not supported: without pivot_root(2) the host's root would "
                  "stay in reach"));
  }
  if (call.systemd_cgroup || call.cgroup_manager == "systemd") {
    return Fail(MakeError(ErrorCode::kUnsupported,
                          "cgroups are not made through systemd: use the cgroupfs manager (dockerd "
                          "--exec-opt native.cgroupdriver=cgroupfs, podman --cgroup-manager "
                          "cgroupfs)"));
  }
  return {};
}

Expected<std::string> AbsoluteBundle(const std::string& bundle) {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::canonical(bundle, error);
  if (error) {
    return Fail(SystemError(error.value(), "--bundle " + Quote(bundle)));
  }
  return path.string();
}

/// linux.cgroupsPath, or a folder of the container's name below the caller's own.
Expected<OciCgroups> MakeCgroups(const OciCall& call, const OciSpec& spec, const std::string& id) {
  ASSIGN_OR_RETURN(const std::vector<OciHierarchy> hierarchies, OciHierarchies(call));
  return OciCgroups::Create(hierarchies, spec.cgroups_path.empty() ? id : spec.cgroups_path);
}

Status TakeTerminal(const CreateOptions& options, const UniqueFd& master) {
  return SendToSocket(options.console_socket, master.get(), "/dev/ptmx");
}

Status CheckTerminal(const CreateOptions& options, const OciSpec& spec) {
  const bool wants = spec.process && spec.process->terminal;
  if (wants && options.console_socket.empty()) {
    return Fail(
        InvalidInput("process.terminal is true: --console-socket must say who gets the terminal"));
  }
  if (!wants && !options.console_socket.empty()) {
    return Fail(InvalidInput("--console-socket is given, but process.terminal is false"));
  }
  return {};
}

void PassListenFds(OciProcessPlan& process, unsigned count) {
  if (count > 0) {
    process.environment.push_back("LISTEN_FDS=" + std::to_string(count));
    process.environment.emplace_back("LISTEN_PID=1");
    process.preserved_fds += count;
  }
}

/// What is undone when a container does not come about.
class Unfinished {
 public:
  explicit Unfinished(const OciFolder& folder) : folder_(&folder) {}

  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  ~Unfinished() {
    if (folder_ == nullptr) {
      return;
    }
    (void)cgroups_.Remove();
    (void)folder_->Remove();
    // What the hooks of its making set up is for these to undo (runtime-spec, lifecycle).
    if (hooks_) {
      RunPoststopHooks(*call_, *hooks_, record_);
    }
  }

  /// From now on hooks may run that those of `poststop` undo.
  void SetHooks(const OciCall& call, const OciHooks& hooks, const OciRecord& record) {
    call_ = &call;
    hooks_ = hooks;
    record_ = record;
  }

  void SetCgroups(const OciCgroups& cgroups) { cgroups_ = cgroups; }

  void Keep() { folder_ = nullptr; }

 private:
  const OciFolder* folder_;
  OciCgroups cgroups_;
  const OciCall* call_ = nullptr;
  std::optional<OciHooks> hooks_;
  OciRecord record_;
};

Expected<OciContainerPlan> MakePlan(const OciSpec& spec, const OciRecord& record,
                                    const OciCgroups& cgroups, const CreateOptions& options,
                                    const std::optional<OciPolicy>& policy) {
  ASSIGN_OR_RETURN(const HostFeatures host, ProbeHost());
  ASSIGN_OR_RETURN(OciContainerPlan plan, PlanOciContainer({.spec = spec,
                                                            .bundle = record.bundle,
                                                            .host = host,
                                                            .has_apparmor = HostRunsAppArmor(),
                                                            .in_user_namespace = !IsRootOfHost(),
                                                            .cgroups = cgroups}));
  if (policy) {
    RETURN_IF_ERROR(TightenOciProcess(policy->config(), host, plan.process));
  }
  plan.process.preserved_fds = options.preserve_fds;
  PassListenFds(plan.process, ListenFds());
  plan.process.keyring = options.no_new_keyring ? std::string() : "_ses." + record.id;
  return plan;
}

/// The filter of linux.seccomp.
Expected<OciFilter> EngineFilter(const OciCall& call, const OciSpec& spec,
                                 const OciProcessPlan& process, const std::string& source) {
  OciFilter filter;
  if (spec.seccomp) {
    std::vector<std::string> warnings;
    ASSIGN_OR_RETURN(
        filter, LoadOciFilter(*spec.seccomp, process, call.root + "/.filters", source, warnings));
    for (const std::string& warning : warnings) {
      ReportOciWarning(call, warning);
    }
  }
  return filter;
}

/// What is left behind for a container: at most one of the two.
struct Attendance {
  std::optional<OciLearning> learning;
  std::optional<OciMonitoring> monitoring;
  UniqueFd ruleset;  ///< for the monitor
};

/// Adds to `filter` what the attendance needs.
Expected<Attendance> PlanAttendance(const OciCall& call, const OciSpec& spec, const std::string& id,
                                    const OciProcessPlan& process,
                                    const std::optional<OciPolicy>& policy, OciFilter& filter) {
  Attendance attendance;
  if (policy) {
    ASSIGN_OR_RETURN(const PolicyReports reports, policy->AddFilter(filter));
    RETURN_IF_ERROR(CheckOciFilter(filter, process));
    if (reports == PolicyReports::kNone) {
      ReportOciWarning(call,
                       "calls that the policy refuses are not reported: the engine's seccomp "
                       "profile has a listener, or answers otherwise than by ALLOW, ERRNO, TRAP "
                       "and KILL");
    }
    ASSIGN_OR_RETURN(attendance.monitoring, PlanMonitoring(call, spec, id, *policy, reports));
  }
  ASSIGN_OR_RETURN(attendance.learning, PlanLearning(call, spec, id, filter));
  return attendance;
}

Status LeaveBehind(const OciFolder& folder, Attendance attendance, pid_t process) {
  if (attendance.learning) {
    RETURN_IF_ERROR(LeaveTracer(folder, *attendance.learning, process));
  }
  if (attendance.monitoring) {
    RETURN_IF_ERROR(LeaveMonitor(folder, *std::move(attendance.monitoring), process,
                                 std::move(attendance.ruleset)));
  }
  return {};
}

/// The container, made and released; `folder` is locked.
Expected<pid_t> MakeContainer(const OciCall& call, const CreateOptions& options) {
  ASSIGN_OR_RETURN(const std::string bundle, AbsoluteBundle(options.bundle));
  const std::string source = bundle + "/config.json";
  ASSIGN_OR_RETURN(const std::string text, ReadFile(source, kMaxOciSpecBytes));
  ASSIGN_OR_RETURN(const OciSpec spec, ReadOciSpec(text, source));
  RETURN_IF_ERROR(CheckTerminal(options, spec));
  ASSIGN_OR_RETURN(const std::optional<OciPolicy> policy, OciPolicy::Find(call, spec));
  ASSIGN_OR_RETURN(const OciFolder folder, OciFolder::Create(call.root, options.id));
  Unfinished unfinished(folder);
  RETURN_IF_ERROR(folder.WriteConfig(text));
  if (policy) {
    RETURN_IF_ERROR(policy->Keep(folder));
  }
  ASSIGN_OR_RETURN(const OciCgroups cgroups, MakeCgroups(call, spec, options.id));
  unfinished.SetCgroups(cgroups);
  OciRecord record{.id = options.id,
                   .pid = 0,
                   .start_time = 0,
                   .bundle = bundle,
                   .root = {},
                   .created = UtcNow(),
                   .owner = ::geteuid(),
                   .cgroups = cgroups.folders(),
                   .annotations = spec.annotations};
  RETURN_IF_ERROR(folder.WriteRecord(record));
  RETURN_IF_ERROR(cgroups.Apply(spec.resources));
  if (policy) {
    RETURN_IF_ERROR(policy->LowerLimits(call, spec.resources, cgroups));
  }
  ASSIGN_OR_RETURN(const OciContainerPlan plan, MakePlan(spec, record, cgroups, options, policy));
  for (const std::string& warning : plan.process.warnings) {
    ReportOciWarning(call, warning);
  }
  record.root = plan.root_path;
  ASSIGN_OR_RETURN(OciFilter filter, EngineFilter(call, spec, plan.process, source));
  ASSIGN_OR_RETURN(Attendance attendance,
                   PlanAttendance(call, spec, options.id, plan.process, policy, filter));
  ASSIGN_OR_RETURN(const UniqueFd listener, folder.ListenForStart());
  unfinished.SetHooks(call, spec.hooks, record);
  ASSIGN_OR_RETURN(
      CreatedContainer container,
      CreateOciContainer(
          {.spec = spec,
           .plan = plan,
           .filter = filter,
           .cgroups = cgroups,
           .record = record,
           .start_listener = listener.get(),
           .take_terminal = [&](UniqueFd master) { return TakeTerminal(options, master); },
           .take_ruleset = [&](UniqueFd made) { attendance.ruleset = std::move(made); },
           .take_record = [&](const OciRecord& made) { return folder.WriteRecord(made); }}));
  RETURN_IF_ERROR(LeaveBehind(folder, std::move(attendance), container.pid()));
  if (!options.pid_file.empty()) {
    RETURN_IF_ERROR(WriteFileAtomically(options.pid_file, std::to_string(container.pid())));
  }
  const pid_t pid = container.pid();
  RETURN_IF_ERROR(folder.OpenToStart());
  RETURN_IF_ERROR(container.Release());
  unfinished.Keep();
  return pid;
}

Status Create(const OciCall& call, const CreateOptions& options) {
  RETURN_IF_ERROR(CheckPreserved(std::uint64_t{options.preserve_fds} + ListenFds()));
  RETURN_IF_ERROR(CheckOptions(options, call));
  RETURN_IF_ERROR(EnsureReadonlyProgram(call.arguments));
  ASSIGN_OR_RETURN(const pid_t pid, MakeContainer(call, options));
  (void)pid;
  return {};
}

Status Run(OciCall& call, const CreateOptions& options) {
  RETURN_IF_ERROR(CheckPreserved(std::uint64_t{options.preserve_fds} + ListenFds()));
  RETURN_IF_ERROR(CheckOptions(options, call));
  RETURN_IF_ERROR(EnsureReadonlyProgram(call.arguments));
  Foreground foreground;
  ASSIGN_OR_RETURN(const pid_t pid, MakeContainer(call, options));
  const Status started = StartContainer(call, options.id);
  if (!started || options.detach) {
    if (!started) {
      (void)DeleteContainer(call, options.id, DeleteMode::kForce);
    }
    return started;
  }
  call.exit_code = foreground.Await(pid);
  return options.keep ? Status() : DeleteContainer(call, options.id, DeleteMode::kForce);
}

}  // namespace

void AddOciCreate(CLI::App& app, OciCall& call) {
  CLI::App* command = app.add_subcommand("create", "make a container, ready to be started");
  auto options = std::make_shared<CreateOptions>();
  AddOptions(*command, *options);
  command->callback(
      [&call, options] { RunOciAction(call, [&] { return Create(call, *options); }); });
}

void AddOciRun(CLI::App& app, OciCall& call) {
  CLI::App* command = app.add_subcommand("run", "make a container, start it, and wait for its end");
  auto options = std::make_shared<CreateOptions>();
  AddOptions(*command, *options);
  command->add_flag("-d,--detach", options->detach, "do not wait");
  command->add_flag("--keep", options->keep, "leave the container when it has ended");
  command->callback([&call, options] { RunOciAction(call, [&] { return Run(call, *options); }); });
}

}  // namespace cordon::cli
