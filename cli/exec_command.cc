#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/report_error.h"
#include "cli/workload_arguments.h"
#include "runtime/control_channel.h"
#include "runtime/sandbox_place.h"

namespace cordon::cli {
namespace {

struct ExecOptions {
  std::string name;
  std::vector<std::string> environment;
  std::string working_directory;
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
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) {
    const int signalfd_errno = errno;
    return Fail(SystemError(signalfd_errno, "signalfd"));
  }
  return fd;
}

/// Waits for the command's end, and passes signals on meanwhile.
Expected<Outcome> Await(int socket, int signals) {
  while (true) {
    std::array<pollfd, 2> waits{{{socket, POLLIN, 0}, {signals, POLLIN, 0}}};
    if (::poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) {
      const int poll_errno = errno;
      return Fail(SystemError(poll_errno, "poll"));
    }
    signalfd_siginfo info{};
    while (::read(signals, &info, sizeof info) == sizeof info) {
      ControlRequest request;
      request.kind = ControlRequestKind::kSignal;
      request.signal = static_cast<int>(info.ssi_signo);
      RETURN_IF_ERROR(SendControlMessage(socket, WriteControlRequest(request), {}));
    }
    if (waits[0].revents == 0) {
      continue;
    }
    ASSIGN_OR_RETURN(const ControlMessage message, ReceiveControlMessage(socket));
    if (message.text.empty()) {
      return Signaled{SIGKILL};  // with the sandbox, all that is in it ends
    }
    ASSIGN_OR_RETURN(const ControlReply reply,
                     ReadControlReply(message.text, "the supervisor's reply"));
    if (!reply.error.empty()) {
      return Fail(MakeError(ErrorCode::kUnsupported, reply.error));
    }
    if (reply.outcome) {
      return *reply.outcome;
    }
  }
}

int Exec(const ExecOptions& options) {
  for (const std::string& variable : options.environment) {
    if (variable.find('=') == std::string::npos || variable.starts_with('=')) {
      return ReportError(InvalidInput("--env takes NAME=VALUE"));
    }
  }
  const Expected<UniqueFd> socket = ConnectToSandbox(options.name);
  if (!socket) {
    return ReportError(socket.error());
  }
  const Expected<UniqueFd> signals = TakeSignals();
  if (!signals) {
    return ReportError(signals.error());
  }
  const ControlRequest request{
      ControlRequestKind::kExecute, 0, options.command, options.environment,
      options.working_directory,    {}};
  if (const Status sent = SendControlMessage(socket->get(), WriteControlRequest(request),
                                             {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO});
      !sent) {
    return ReportError(sent.error());
  }
  const Expected<Outcome> outcome = Await(socket->get(), signals->get());
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
  exec->footer("The command follows: cordon exec NAME -- COMMAND [ARGUMENT]...");
  exec->prefix_command();
  exec->callback([exec, options, &exit_code] {
    options->command = WorkloadCommand(*exec);
    exit_code = Exec(*options);
  });
}

}  // namespace cordon::cli
