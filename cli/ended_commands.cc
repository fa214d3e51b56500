#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/report_error.h"
#include "common/text.h"
#include "runtime/control_channel.h"
#include "runtime/sandbox_place.h"
#include "runtime/sandbox_record.h"

namespace cordon::cli {
namespace {

constexpr int kPatienceMs = 10'000;

Status AwaitReadable(int fd, int timeout_ms) {
  pollfd wait{fd, POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&wait, 1, timeout_ms);
  } while (ready < 0 && errno == EINTR);
  if (ready < 0) {
    const int poll_errno = errno;
    return Fail(SystemError(poll_errno, "poll"));
  }
  return ready == 0 ? Status(Fail(MakeError(ErrorCode::kSystem, "nothing happened in time")))
                    : Status();
}

/// What is on disk of a sandbox whose supervisor is gone; nothing where it left nothing.
std::optional<SandboxState> Left(const std::string& name) {
  const Expected<KnownSandboxes> known = FindSandboxes();
  if (!known || !std::ranges::binary_search(known->ended, name)) {
    return std::nullopt;
  }
  const Expected<SandboxState> record = ReadRecord(SandboxFolder(name));
  return record ? std::optional(*record) : std::nullopt;
}

Outcome OutcomeOf(const SandboxState& ended) {
  if (ended.status == "lost") {
    ReportWarning("the supervisor of " + ended.name +
                  " was killed, and what ran in the sandbox with it");
  }
  return ended.outcome.value_or(Signaled{SIGKILL});
}

/// What the supervisor at the other end of `socket` says of the end, when all of it is gone. Fails
/// with kNotFound where it ends before it has taken the question.
Expected<Outcome> AskForEnd(int socket) {
  ASSIGN_OR_RETURN(const UniqueFd supervisor, SupervisorOf(socket));
  ControlRequest request;
  request.kind = ControlRequestKind::kWait;
  // After that process is known: it is the one that answers. The outcome is a second reply.
  RETURN_IF_ERROR(AskSupervisor(socket, request));
  ASSIGN_OR_RETURN(const ControlMessage message, ReceiveControlMessage(socket));
  // Its name is free, or what it left can be removed, when the supervisor is gone.
  RETURN_IF_ERROR(AwaitReadable(supervisor.get(), -1));
  if (message.text.empty()) {
    return Signaled{SIGKILL};  // with its supervisor, all that is in it ends
  }
  ASSIGN_OR_RETURN(const ControlReply reply,
                   ReadControlReply(message.text, "the supervisor's reply"));
  return reply.outcome.value_or(Signaled{SIGKILL});
}

/// Until `name` does not run. For when its supervisor takes no more orders: it is ending.
void AwaitGone(const std::string& name) {
  constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 10'000'000};
  constexpr int kTimes = 1000;
  for (int i = 0; i < kTimes; ++i) {
    const Expected<KnownSandboxes> known = FindSandboxes();
    if (known && !std::ranges::binary_search(known->running, name)) {
      return;
    }
    (void)::nanosleep(&kPause, nullptr);
  }
}

/// The outcome of `name`, when all of it is gone.
Expected<Outcome> Await(const std::string& name) {
  const Expected<UniqueFd> socket = ConnectToSandbox(name);
  const Expected<Outcome> outcome =
      socket ? AskForEnd(socket->get()) : Expected<Outcome>(Fail(socket.error()));
  if (outcome || outcome.error().code != ErrorCode::kNotFound) {
    return outcome;
  }
  AwaitGone(name);
  if (const std::optional<SandboxState> ended = Left(name)) {
    return OutcomeOf(*ended);
  }
  return socket ? Fail(MakeError(ErrorCode::kNotFound,
                                 "the sandbox " + Quote(name) +
                                     " ended before it could be asked how, and left no word"))
                : outcome;
}

int Wait(const std::string& name) {
  const Expected<Outcome> outcome = Await(name);
  return outcome ? ExitStatus(*outcome) : ReportError(outcome.error());
}

/// Ends `name` and everything in it, whatever its supervisor does.
Status End(const std::string& name) {
  ASSIGN_OR_RETURN(const UniqueFd socket, ConnectToSandbox(name));
  ASSIGN_OR_RETURN(const UniqueFd supervisor, SupervisorOf(socket.get()));
  ControlRequest kill;
  kill.kind = ControlRequestKind::kSignal;
  kill.signal = SIGKILL;
  const Expected<ControlReply> reply = AskSupervisor(socket.get(), kill);
  if (reply && AwaitReadable(supervisor.get(), kPatienceMs)) {
    return {};
  }
  if (!reply && reply.error().code == ErrorCode::kNotFound) {
    return AwaitReadable(supervisor.get(), kPatienceMs);
  }
  // It does not answer, as one that was stopped. Its number was taken while it had the socket open,
  // so it is its own as long as its lock is held.
  const Expected<KnownSandboxes> known = FindSandboxes();
  if (known && std::ranges::binary_search(known->running, name)) {
    (void)::syscall(SYS_pidfd_send_signal, supervisor.get(), SIGKILL, nullptr, 0);
  }
  return AwaitReadable(supervisor.get(), kPatienceMs);
}

enum class Running : std::uint8_t { kRefused, kEnded };

Status Remove(const std::string& name, Running running) {
  const Status removed = RemoveEndedSandbox(name);
  if (removed || running == Running::kRefused || removed.error().code != ErrorCode::kUnsupported) {
    return removed;
  }
  const Status ended = End(name);
  if (!ended && ended.error().code != ErrorCode::kNotFound) {
    return Fail(ended.error().WithContext("ending the sandbox " + Quote(name)));
  }
  const Status then = RemoveEndedSandbox(name);
  // Where nothing was to be kept, the end removed it.
  return !then && then.error().code == ErrorCode::kNotFound ? Status() : then;
}

int Rm(const std::vector<std::string>& names, Running running) {
  int exit_code = kOk;
  for (const std::string& name : names) {
    if (const Status removed = Remove(name, running); !removed) {
      exit_code = std::max(exit_code, ReportError(removed.error()));
    }
  }
  return exit_code;
}

}  // namespace

void AddWaitCommand(CLI::App& app, int& exit_code) {
  auto name = std::make_shared<std::string>();
  CLI::App* wait =
      app.add_subcommand("wait", "Wait for the end of a sandbox, and end as its workload did");
  wait->add_option("NAME", *name, "Of the sandbox")->required();
  wait->callback([name, &exit_code] { exit_code = Wait(*name); });
}

void AddRmCommand(CLI::App& app, int& exit_code) {
  struct Options {
    std::vector<std::string> names;
    Running running = Running::kRefused;
  };

  auto options = std::make_shared<Options>();
  CLI::App* rm =
      app.add_subcommand("rm", "Remove what is kept of detached sandboxes that have ended");
  rm->add_option("NAME", options->names, "Of the sandbox")->required();
  rm->add_flag_callback(
      "-f,--force", [options] { options->running = Running::kEnded; },
      "End what runs, with all that is in it");
  rm->callback([options, &exit_code] { exit_code = Rm(options->names, options->running); });
}

}  // namespace cordon::cli
