#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/report_error.h"
#include "cli/terminal_options.h"
#include "cli/workload_arguments.h"
#include "common/file.h"
#include "runtime/control_channel.h"
#include "runtime/sandbox_place.h"
#include "runtime/terminal_relay.h"

namespace cordon::cli {
namespace {

struct ExecOptions {
  std::string name;
  std::vector<std::string> environment;
  std::string working_directory;
  bool terminal = false;
  bool interactive = false;
  std::vector<std::string> command;
};

/// What is passed on to the command. That is in a session of its own, so what the terminal sends
/// is passed on as well.
constexpr std::array<int, 8> kPassedOn{SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
                                       SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH};

/// Signals that come from now on, to be read.
Expected<UniqueFd> TakeSignals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : kPassedOn) {
    ::sigaddset(&set, signal);
  }
  ::sigaddset(&set, SIGCONT);
  sigset_t blocked = set;
  ::sigaddset(&blocked, SIGPIPE);  // a closed output must not leave the terminal in raw mode
  ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
  UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) {
    const int signalfd_errno = errno;
    return Fail(SystemError(signalfd_errno, "signalfd"));
  }
  return fd;
}

Status PassSignals(int socket, int signals, TerminalRelay& relay) {
  signalfd_siginfo info{};
  while (::read(signals, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGCONT) {
      relay.Resume();
    } else if (info.ssi_signo == SIGWINCH && relay.begun()) {
      relay.Resize();
    } else {
      ControlRequest request;
      request.kind = ControlRequestKind::kSignal;
      request.signal = static_cast<int>(info.ssi_signo);
      RETURN_IF_ERROR(SendControlMessage(socket, WriteControlRequest(request), {}));
    }
  }
  return {};
}

/// Waits for the command's end, and passes signals and what the terminals say on meanwhile.
Expected<Outcome> Await(int socket, int signals, TerminalRelay& relay) {
  std::vector<pollfd> waits;
  while (true) {
    waits = {{socket, POLLIN, 0}, {signals, POLLIN, 0}};
    relay.AddWaits(waits);
    if (::poll(waits.data(), waits.size(), -1) < 0) {
      const int poll_errno = errno;
      if (poll_errno != EINTR) {
        return Fail(SystemError(poll_errno, "poll"));
      }
      continue;
    }
    relay.Handle(waits);
    RETURN_IF_ERROR(PassSignals(socket, signals, relay));
    if (waits[0].revents == 0) {
      continue;
    }
    ASSIGN_OR_RETURN(ControlMessage message, ReceiveControlMessage(socket));
    if (message.text.empty()) {
      return Signaled{SIGKILL};  // with the sandbox, all that is in it ends
    }
    ASSIGN_OR_RETURN(const ControlReply reply,
                     ReadControlReply(message.text, "the supervisor's reply"));
    if (!reply.error.empty()) {
      return Fail(MakeError(ErrorCode::kUnsupported, reply.error));
    }
    if (reply.terminal && message.fds.size() == 1) {
      relay.Take(std::move(message.fds.front()));
    }
    if (reply.outcome) {
      relay.Finish();
      return *reply.outcome;
    }
  }
}

ControlRequest RequestOf(const ExecOptions& options) {
  ControlRequest request;
  request.kind = ControlRequestKind::kExecute;
  request.arguments = options.command;
  request.environment = options.environment;
  request.working_directory = options.working_directory;
  if (options.terminal) {
    request.terminal = TerminalRelay::SizeOf(STDIN_FILENO);
    const char* const kind = std::getenv("TERM");
    // What an option says comes later, and holds.
    request.environment.insert(request.environment.begin(),
                               std::string("TERM=") + (kind == nullptr ? "xterm" : kind));
  }
  return request;
}

/// Asks for the command, and waits for its end.
Expected<Outcome> RunInside(const ExecOptions& options, int socket, int signals) {
  // A command with a terminal of its own gets nothing of this process's.
  ASSIGN_OR_RETURN(const UniqueFd nothing, OpenAt(AT_FDCWD, "/dev/null", O_RDWR));
  const std::vector<int> streams = options.terminal
                                       ? std::vector(kMaxControlFds, nothing.get())
                                       : std::vector{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
  RETURN_IF_ERROR(SendControlMessage(socket, WriteControlRequest(RequestOf(options)), streams));
  TerminalRelay relay(STDIN_FILENO, STDOUT_FILENO);
  return Await(socket, signals, relay);
}

int Exec(const ExecOptions& options) {
  for (const std::string& variable : options.environment) {
    if (variable.find('=') == std::string::npos || variable.starts_with('=')) {
      return ReportError(InvalidInput("--env takes NAME=VALUE"));
    }
  }
  if (options.terminal && ::isatty(STDIN_FILENO) == 0) {
    return ReportInputError(InvalidInput(kNoTerminal));
  }
  const Expected<UniqueFd> socket = ConnectToSandbox(options.name);
  if (!socket) {
    return ReportError(socket.error());
  }
  const Expected<UniqueFd> signals = TakeSignals();
  if (!signals) {
    return ReportError(signals.error());
  }
  const Expected<Outcome> outcome = RunInside(options, socket->get(), signals->get());
  if (!outcome) {
    (void)ReportError(outcome.error());
    return kCannot;
  }
  if (const auto* not_executed = std::get_if<NotExecuted>(&*outcome)) {
    PrintLine(SystemError(not_executed->sys_errno, options.command.front()).message);
  }
  return ExitStatus(*outcome);
}

}  // namespace

void AddExecCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ExecOptions>();
  CLI::App* exec = app.add_subcommand(
      "exec", "Run a further command in a running sandbox, held to the same policy");
  exec->add_option("NAME", options->name, "Of the sandbox")->required();
  exec->add_option("--env", options->environment, "A variable besides the workload's")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  exec->add_option("--workdir", options->working_directory, "Where (default: as the workload)")
      ->type_name("DIR");
  AddTerminalOptions(*exec, options->terminal, options->interactive);
  exec->footer("The command follows: cordon exec NAME -- COMMAND [ARGUMENT]...");
  exec->prefix_command();
  exec->callback([exec, options, &exit_code] {
    options->command = WorkloadCommand(*exec);
    exit_code = Exec(*options);
  });
}

}  // namespace cordon::cli
