#include <poll.h>

#include <cerrno>
#include <csignal>

#include "cli/oci/oci_call.h"
#include "cli/oci/oci_container.h"
#include "cli/oci/oci_foreground.h"
#include "cli/oci/oci_monitor_link.h"
#include "cli/oci/oci_tracer_link.h"
#include "model/oci_spec_json.h"
#include "runtime/oci_create.h"
#include "runtime/oci_start.h"

namespace cordon::cli {
namespace {

Expected<OciSpec> ReadSpec(const OciContainer& container) {
  ASSIGN_OR_RETURN(const std::string text, container.folder.ReadConfig());
  return ReadOciSpec(text, container.folder.path() + "/config.json");
}

/// Kills everything in the container, and waits until its first process is gone.
Status KillAll(const OciContainer& container) {
  if (container.process) {
    (void)SignalOciContainer(container, SIGKILL);
  }
  // Without a pid namespace of its own the others outlive the first.
  for (const pid_t pid : container.cgroups.Processes()) {
    (void)::kill(pid, SIGKILL);
  }
  // On v1 not even that signal reaches what is frozen.
  if (container.cgroups.IsFrozen()) {
    RETURN_IF_ERROR(container.cgroups.Thaw());
  }
  if (!container.process) {
    return {};
  }
  constexpr int kMostMs = 10'000;
  pollfd wait{container.process->get(), POLLIN, 0};
  if (::poll(&wait, 1, kMostMs) == 0) {
    return Fail(MakeError(ErrorCode::kSystem,
                          "the container's process is still there ten seconds after SIGKILL"));
  }
  return {};
}

Status Kill(const OciCall& call, const std::string& id, const std::string& name, bool all) {
  ASSIGN_OR_RETURN(const int signal, ParseOciSignal(name));
  ASSIGN_OR_RETURN(const OciContainer container, LoadOciContainer(call, id, OciAccess::kLook));
  if (all) {
    const bool was_frozen = container.cgroups.IsFrozen();
    // A process that forks meanwhile would get away.
    const Status frozen = was_frozen ? Status() : container.cgroups.Freeze();
    for (const pid_t pid : container.cgroups.Processes()) {
      (void)::kill(pid, signal);
    }
    return frozen && (!was_frozen || signal == SIGKILL) ? container.cgroups.Thaw() : Status();
  }
  RETURN_IF_ERROR(SignalOciContainer(container, signal));
  if (signal == SIGKILL && container.cgroups.IsFrozen()) {
    return container.cgroups.Thaw();
  }
  return {};
}

Status Freeze(const OciCall& call, const std::string& id) {
  ASSIGN_OR_RETURN(const OciContainer container, LoadOciContainer(call, id, OciAccess::kChange));
  if (container.status != OciStatus::kRunning && container.status != OciStatus::kCreated) {
    return Fail(InvalidInput("container not running: it is " +
                             std::string(OciStatusName(container.status))));
  }
  return container.cgroups.Freeze();
}

Status Thaw(const OciCall& call, const std::string& id) {
  ASSIGN_OR_RETURN(const OciContainer container, LoadOciContainer(call, id, OciAccess::kChange));
  if (container.status != OciStatus::kPaused) {
    return Fail(InvalidInput("container not paused: it is " +
                             std::string(OciStatusName(container.status))));
  }
  return container.cgroups.Thaw();
}

using IdAction = Status (*)(const OciCall& call, const std::string& id);

void AddIdCommand(CLI::App& app, OciCall& call, const char* name, const char* help,
                  IdAction action) {
  CLI::App* command = app.add_subcommand(name, help);
  auto id = std::make_shared<std::string>();
  command->add_option("container-id", *id)->required();
  command->callback([&call, id, action] { RunOciAction(call, [&] { return action(call, *id); }); });
}

}  // namespace

void RunPoststopHooks(const OciCall& call, const OciHooks& hooks, const OciRecord& record) {
  for (const OciHook& hook : hooks.poststop) {
    if (const Status ran = RunOciHooks({hook}, "poststop", record, OciStatus::kStopped); !ran) {
      ReportOciWarning(call, ran.error().message);
    }
  }
}

Status StartContainer(const OciCall& call, const std::string& id) {
  ASSIGN_OR_RETURN(const OciContainer container, LoadOciContainer(call, id, OciAccess::kChange));
  if (container.status != OciStatus::kCreated) {
    return Fail(InvalidInput("the container cannot be started: it is " +
                             std::string(OciStatusName(container.status))));
  }
  ASSIGN_OR_RETURN(const OciSpec spec, ReadSpec(container));
  std::optional<MonitorLink> monitor;
  if (container.folder.IsMonitored()) {
    ASSIGN_OR_RETURN(monitor, MonitorLink::Open(container.folder));
  }
  const auto trace = [&]() -> Status {
    if (!container.folder.IsTraced()) {
      return {};
    }
    ASSIGN_OR_RETURN(const TracerLink tracer, TracerLink::Open(container.folder));
    return tracer.Trace(container.record.pid);
  };
  RETURN_IF_ERROR(StartOciContainer(
      container.folder, container.record, spec,
      {.before_go = trace, .take_listener = ListenerTaker(spec, container.record, monitor)}));
  const Status hooks =
      RunOciHooks(spec.hooks.poststart, "poststart", container.record, OciStatus::kRunning);
  if (!hooks) {
    (void)KillAll(container);
  }
  return hooks;
}

Status DeleteContainer(const OciCall& call, const std::string& id, DeleteMode mode) {
  if (mode == DeleteMode::kForce) {
    // Before the lock: a `create` that hangs in a hook has it, and ends with its container.
    const Expected<OciContainer> found = LoadOciContainer(call, id, OciAccess::kLook);
    if (!found) {
      return found.error().code == ErrorCode::kNotFound ? Status() : Fail(found.error());
    }
    RETURN_IF_ERROR(KillAll(*found));
  }
  Expected<OciContainer> container = LoadOciContainer(call, id, OciAccess::kChange);
  if (!container) {
    return mode == DeleteMode::kForce && container.error().code == ErrorCode::kNotFound
               ? Status()
               : Fail(container.error());
  }
  if (mode == DeleteMode::kStopped && container->process) {
    // One that never started has done nothing yet.
    if (container->status != OciStatus::kCreated) {
      return Fail(InvalidInput("cannot delete container " + id + " that is not stopped: it is " +
                               std::string(OciStatusName(container->status))));
    }
  }
  RETURN_IF_ERROR(KillAll(*container));
  if (container->folder.IsTraced()) {
    // Its recording is to be there once the container is not. One that is gone already has left it.
    if (const Expected<TracerLink> tracer = TracerLink::Open(container->folder); tracer) {
      RETURN_IF_ERROR(tracer->AwaitEnd());
    }
  }
  if (container->folder.IsMonitored()) {
    // Likewise what it was refused.
    if (const Expected<MonitorLink> monitor = MonitorLink::Open(container->folder); monitor) {
      monitor->AwaitEnd();
    }
  }
  RETURN_IF_ERROR(container->cgroups.Remove());
  const Expected<OciSpec> spec = ReadSpec(*container);
  RETURN_IF_ERROR(container->folder.Remove());
  if (spec) {
    RunPoststopHooks(call, spec->hooks, container->record);
  }
  return {};
}

void AddOciStart(CLI::App& app, OciCall& call) {
  AddIdCommand(app, call, "start", "execute the command of a container that was made",
               StartContainer);
}

void AddOciPause(CLI::App& app, OciCall& call) {
  AddIdCommand(app, call, "pause", "stop all processes of a container for a while", Freeze);
}

void AddOciResume(CLI::App& app, OciCall& call) {
  AddIdCommand(app, call, "resume", "let a paused container go on", Thaw);
}

void AddOciKill(CLI::App& app, OciCall& call) {
  struct Options {
    std::string id;
    std::string signal = "TERM";
    bool all = false;
  };

  CLI::App* command = app.add_subcommand("kill", "send a signal to a container");
  auto options = std::make_shared<Options>();
  command->add_option("container-id", options->id)->required();
  command->add_option("signal", options->signal, "its name or number; default: TERM");
  command->add_flag("-a,--all", options->all, "to all its processes, not the first alone");
  command->callback([&call, options] {
    RunOciAction(call, [&] { return Kill(call, options->id, options->signal, options->all); });
  });
}

void AddOciDelete(CLI::App& app, OciCall& call) {
  struct Options {
    std::string id;
    bool force = false;
  };

  CLI::App* command = app.add_subcommand("delete", "remove a container that has ended");
  auto options = std::make_shared<Options>();
  command->add_option("container-id", options->id)->required();
  command->add_flag("-f,--force", options->force,
                    "kill it when it runs; say nothing when there is none");
  command->callback([&call, options] {
    RunOciAction(call, [&] {
      return DeleteContainer(call, options->id,
                             options->force ? DeleteMode::kForce : DeleteMode::kStopped);
    });
  });
}

}  // namespace cordon::cli
