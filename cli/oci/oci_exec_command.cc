#include <unistd.h>

#include <algorithm>
#include <array>

#include "cli/oci/oci_call.h"
#include "cli/oci/oci_container.h"
#include "cli/oci/oci_foreground.h"
#include "cli/oci/oci_monitor_link.h"
#include "cli/oci/oci_policy.h"
#include "cli/oci/oci_tracer_link.h"
#include "cli/oci/preserved_descriptors.h"
#include "common/file.h"
#include "common/text.h"
#include "model/oci_spec_json.h"
#include "runtime/host_features.h"
#include "runtime/oci_exec.h"
#include "runtime/oci_policy.h"
#include "runtime/oci_seccomp.h"
#include "runtime/oci_terminal.h"
#include "runtime/readonly_program.h"

namespace cordon::cli {
namespace {

struct ExecOptions {
  std::string id;
  std::string process;
  std::string pid_file;
  std::string console_socket;
  std::string cwd;
  std::string user;
  std::vector<std::string> environment;
  std::vector<std::string> capabilities;
  std::vector<std::uint32_t> additional_gids;
  std::string process_label;
  std::string apparmor;
  unsigned preserve_fds = 0;
  bool detach = false;
  bool tty = false;
  bool no_new_privileges = false;
  bool ignore_paused = false;
  std::vector<std::string> command;
};

/// "UID[:GID]", each wholly a number (CVE-2026-30892 read a name as 0).
Status ParseUser(const std::string& text, OciUser& user) {
  const std::size_t colon = text.find(':');
  const auto number = [](const std::string& part) -> std::optional<std::uint32_t> {
    const bool is_decimal =
        !part.empty() && part.find_first_not_of("0123456789") == std::string::npos;
    const auto value = is_decimal ? ParseUnsigned(part) : std::nullopt;
    constexpr std::uint64_t kMost = 4294967294U;
    return value && *value <= kMost ? std::optional(static_cast<std::uint32_t>(*value))
                                    : std::nullopt;
  };
  const auto uid = number(text.substr(0, colon));
  const auto gid =
      colon == std::string::npos ? std::optional(user.gid) : number(text.substr(colon + 1));
  if (!uid || !gid) {
    return Fail(InvalidInput("--user " + Quote(text) + ": expected UID or UID:GID in numbers"));
  }
  user.uid = *uid;
  user.gid = *gid;
  return {};
}

/// The container's process with what the command line says in place of its own.
Expected<OciProcess> ProcessOfOptions(const ExecOptions& options, const OciSpec& spec) {
  if (options.command.empty()) {
    return Fail(InvalidInput("no command to execute: name one, or give --process"));
  }
  if (!spec.process) {
    return Fail(InvalidInput("the container has no process to take the other settings from"));
  }
  OciProcess process = *spec.process;
  process.arguments = options.command;
  process.terminal = options.tty;
  process.console_size.reset();
  process.environment.insert(process.environment.end(), options.environment.begin(),
                             options.environment.end());
  if (!options.cwd.empty()) {
    if (!options.cwd.starts_with('/')) {
      return Fail(InvalidInput("--cwd " + Quote(options.cwd) + ": expected an absolute path"));
    }
    process.working_directory = options.cwd;
  }
  if (!options.user.empty()) {
    RETURN_IF_ERROR(ParseUser(options.user, process.user));
  }
  process.user.additional_gids.insert(process.user.additional_gids.end(),
                                      options.additional_gids.begin(),
                                      options.additional_gids.end());
  // Inheritable and ambient sets stay as they are: a non-empty inheritable set was CVE-2022-29162.
  for (const std::string& name : options.capabilities) {
    process.capabilities.bounding.insert(name);
    process.capabilities.effective.insert(name);
    process.capabilities.permitted.insert(name);
  }
  process.no_new_privileges = process.no_new_privileges || options.no_new_privileges;
  process.selinux_label =
      options.process_label.empty() ? process.selinux_label : options.process_label;
  process.apparmor_profile = options.apparmor.empty() ? process.apparmor_profile : options.apparmor;
  return process;
}

Expected<OciProcess> LoadProcess(const ExecOptions& options, const OciSpec& spec) {
  if (options.process.empty()) {
    return ProcessOfOptions(options, spec);
  }
  ASSIGN_OR_RETURN(const std::string text, ReadFile(options.process, kMaxOciSpecBytes));
  ASSIGN_OR_RETURN(OciProcess process, ReadOciProcess(text, options.process));
  process.terminal = process.terminal || options.tty;
  return process;
}

Status CheckState(const ExecOptions& options, const OciContainer& container) {
  const bool may = container.status == OciStatus::kRunning ||
                   container.status == OciStatus::kCreated ||
                   (container.status == OciStatus::kPaused && options.ignore_paused);
  if (may) {
    return {};
  }
  return Fail(InvalidInput("cannot execute in container " + container.record.id + ": it is " +
                           std::string(OciStatusName(container.status))));
}

Status Exec(OciCall& call, const ExecOptions& options) {
  RETURN_IF_ERROR(CheckPreserved(options.preserve_fds));
  RETURN_IF_ERROR(EnsureReadonlyProgram(call.arguments));
  // Not the lock: a command that runs for long must not keep others from the container.
  ASSIGN_OR_RETURN(const OciContainer container,
                   LoadOciContainer(call, options.id, OciAccess::kLook));
  RETURN_IF_ERROR(CheckState(options, container));
  const std::string source = container.folder.path() + "/config.json";
  ASSIGN_OR_RETURN(const std::string text, container.folder.ReadConfig());
  ASSIGN_OR_RETURN(const OciSpec spec, ReadOciSpec(text, source));
  ASSIGN_OR_RETURN(const OciProcess process, LoadProcess(options, spec));
  if (process.terminal && options.console_socket.empty()) {
    return Fail(InvalidInput("a terminal needs --console-socket, which says who gets it"));
  }
  ASSIGN_OR_RETURN(const HostFeatures host, ProbeHost());
  const bool has_user_namespace = std::ranges::any_of(
      spec.namespaces, [](const OciNamespace& space) { return space.type == Namespace::kUser; });
  ASSIGN_OR_RETURN(OciProcessPlan plan,
                   PlanOciProcess(process, {.host = host,
                                            .has_user_namespace = has_user_namespace,
                                            .has_apparmor = HostRunsAppArmor()}));
  plan.preserved_fds = options.preserve_fds;
  plan.keyring = "_ses." + container.record.id;
  ASSIGN_OR_RETURN(const std::optional<OciPolicy> policy, OciPolicy::Open(container.folder));
  if (policy) {
    RETURN_IF_ERROR(TightenOciProcess(policy->config(), host, plan));
  }
  OciFilter filter;
  if (spec.seccomp) {
    std::vector<std::string> known_warnings;
    ASSIGN_OR_RETURN(filter, LoadOciFilter(*spec.seccomp, plan, call.root + "/.filters", source,
                                           known_warnings));
  }
  std::optional<MonitorLink> monitor;
  if (policy) {
    RETURN_IF_ERROR(policy->AddFilter(filter));
    RETURN_IF_ERROR(CheckOciFilter(filter, plan));
    ASSIGN_OR_RETURN(monitor, MonitorLink::Open(container.folder));
  }
  std::optional<TracerLink> tracer;
  if (container.folder.IsTraced()) {
    ASSIGN_OR_RETURN(tracer, TracerLink::Open(container.folder));
    (void)OpenToTracer(tracer->hello().tier, {.address = tracer->hello().window}, filter);
  }
  Foreground foreground;
  const auto take_pid = [&](pid_t made) -> Status {
    if (!options.pid_file.empty()) {
      RETURN_IF_ERROR(WriteFileAtomically(options.pid_file, std::to_string(made)));
    }
    if (monitor && !monitor->listens()) {
      RETURN_IF_ERROR(monitor->Watch(made, UniqueFd()));
    }
    return tracer ? tracer->Trace(made) : Status();
  };
  ASSIGN_OR_RETURN(
      const pid_t pid,
      ExecuteInOciContainer({.plan = plan,
                             .filter = filter,
                             .cgroups = container.cgroups,
                             .record = container.record,
                             .container = container.process ? container.process->get() : -1,
                             .landlock_ruleset = monitor ? monitor->ruleset() : -1,
                             .take_listener = ListenerTaker(spec, container.record, monitor),
                             .take_terminal =
                                 [&](UniqueFd master) {
                                   return SendToSocket(options.console_socket, master.get(),
                                                       "/dev/ptmx");
                                 },
                             .take_pid = take_pid}));
  if (!options.detach) {
    call.exit_code = foreground.Await(pid);
  }
  return {};
}

}  // namespace

void AddOciExec(CLI::App& app, OciCall& call) {
  CLI::App* command = app.add_subcommand("exec", "execute a further command in a container");
  auto options = std::make_shared<ExecOptions>();
  command->add_option("-p,--process", options->process, "file with the process as JSON");
  command->add_option("--pid-file", options->pid_file, "file to write the process id to");
  command->add_option("--console-socket", options->console_socket,
                      "AF_UNIX socket that gets the terminal");
  command->add_option("--cwd", options->cwd, "working folder");
  command->add_option("-u,--user", options->user, "UID[:GID]");
  command->add_option("-e,--env", options->environment, "NAME=VALUE")->allow_extra_args(false);
  command->add_option("-c,--cap", options->capabilities, "a capability more")
      ->allow_extra_args(false);
  command->add_option("-g,--additional-gids", options->additional_gids, "a group more")
      ->allow_extra_args(false);
  command->add_option("--process-label", options->process_label, "SELinux label");
  command->add_option("--apparmor", options->apparmor, "AppArmor profile");
  command->add_option("--preserve-fds", options->preserve_fds,
                      "so many descriptors beside the standard streams are handed on");
  command->add_flag("-d,--detach", options->detach, "do not wait");
  command->add_flag("-t,--tty", options->tty, "with a terminal");
  command->add_flag("--no-new-privs", options->no_new_privileges, "set no_new_privs");
  command->add_flag("--ignore-paused", options->ignore_paused, "also in a paused container");
  command->add_option("container-id", options->id)->required();
  // What follows the id is the command's own.
  command->prefix_command();
  command->callback([&call, options, command] {
    options->command = command->remaining();
    RunOciAction(call, [&] { return Exec(call, *options); });
  });
}

}  // namespace cordon::cli
