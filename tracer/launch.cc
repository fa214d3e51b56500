#include "tracer/launch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "common/pipe.h"
#include "common/text.h"
#include "tracer/stop_event.h"
#include "tracer/trace_filter.h"
#include "tracer/trace_permission.h"

namespace cordon {
namespace {

/// What the child tells through the report pipe.
enum class ReportKind : std::int32_t { kFilterRefused = 1, kNotExecuted = 2 };

struct Report {
  ReportKind kind;
  std::int32_t sys_errno;
};

/// Everything the child needs, made before fork(2): between that and execve(2) it may only make raw
/// calls.
struct ChildPlan {
  const char* executable;
  char* const* arguments;
  char* const* shell_arguments;  ///< "/bin/sh FILE …": what execvp(3) does on ENOEXEC
  char* const* environment;
  sock_fprog filter;  ///< len 0: none
  int go;             ///< read end: written by the parent once it has seized the child
  int go_write;  ///< closed first, so that the death of the parent is seen as the end of the pipe
  int report;
  int keep;  ///< left open over execve(2); -1: none
};

void SendReport(const ChildPlan& plan, ReportKind kind, int sys_errno) {
  const Report report{kind, sys_errno};
  (void)!::write(plan.report, &report, sizeof report);  // at most PIPE_BUF: never partial (pipe(7))
}

/// Installs the filter, with no_new_privs only where the kernel insists on it (seccomp(2): without
/// CAP_SYS_ADMIN).
void InstallFilterInChild(const ChildPlan& plan) {
  if (plan.filter.len == 0) {
    return;
  }
  long result = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0U, &plan.filter);
  if (result != 0 && errno == EACCES && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) {
    result = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0U, &plan.filter);
  }
  if (result != 0) {
    SendReport(plan, ReportKind::kFilterRefused, errno);
  }
}

[[noreturn]] void RunChild(const ChildPlan& plan) {
  (void)::close(plan.go_write);
  char go = 0;
  if (::read(plan.go, &go, 1) != 1) {
    ::_exit(127);  // cordon is gone
  }
  if (plan.keep >= 0) {
    (void)::fcntl(plan.keep, F_SETFD, 0);
  }
  InstallFilterInChild(plan);
  // The stop in which recording begins; the tracer swallows the signal.
  (void)::kill(::getpid(), SIGSTOP);
  (void)::execve(plan.executable, plan.arguments, plan.environment);
  if (errno == ENOEXEC) {
    (void)::execve("/bin/sh", plan.shell_arguments, plan.environment);
  }
  SendReport(plan, ReportKind::kNotExecuted, errno);
  ::_exit(127);
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) {
    // execve(2) does not write to its arguments; its prototype is older than const.
    pointers.push_back(const_cast<char*>(string.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

/// cordon's own environment with `changes` ("NAME=VALUE") in place of what they replace.
std::vector<std::string> EnvironmentWith(const std::vector<std::string>& changes) {
  std::vector<std::string> environment;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view name = std::string_view(*entry).substr(0, std::strcspn(*entry, "="));
    const bool replaced = std::ranges::any_of(changes, [&](const std::string& change) {
      return change.size() > name.size() && change.starts_with(name) && change[name.size()] == '=';
    });
    if (!replaced) {
      environment.emplace_back(*entry);
    }
  }
  environment.insert(environment.end(), changes.begin(), changes.end());
  return environment;
}

/// The next report in the pipe, if there is one already.
std::optional<Report> TakeReport(int fd) {
  Report report{};
  const ssize_t got = ::read(fd, &report, sizeof report);
  return got == sizeof report ? std::optional(report) : std::nullopt;
}

/// Lets the seized child go on until it stops itself.
Status AwaitOwnStop(TraceKernel& kernel, pid_t child) {
  for (;;) {
    const WaitResult waited = kernel.WaitFor(child);
    if (waited.kind == WaitResult::Kind::kInterrupted) {
      continue;
    }
    if (waited.kind != WaitResult::Kind::kReport) {
      return Fail(MakeError(ErrorCode::kSystem,
                            "the workload's first task vanished before it was started"));
    }
    const StopEvent event = ClassifyStop(waited.status);
    if (std::holds_alternative<TaskEnd>(event)) {
      return Fail(
          MakeError(ErrorCode::kSystem, "the workload's first task ended before it was started"));
    }
    if (const auto* signal = std::get_if<SignalStop>(&event);
        signal != nullptr && signal->signal == SIGSTOP) {
      return {};
    }
    const auto* signal = std::get_if<SignalStop>(&event);
    (void)kernel.Resume(child, ResumeMode::kRun, signal != nullptr ? signal->signal : 0);
  }
}

bool IsExecutableFile(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0;
}

}  // namespace

std::optional<int> LaunchedTask::ExecuteError() const {
  while (const std::optional<Report> report = TakeReport(report_.get())) {
    if (report->kind == ReportKind::kNotExecuted) {
      return report->sys_errno;
    }
  }
  return std::nullopt;
}

Expected<std::string> FindExecutable(const std::string& command) {
  if (command.find('/') != std::string::npos) {
    return command;  // execve(2) says what is wrong with it
  }
  const char* const variable = std::getenv("PATH");
  int reason = ENOENT;
  for (const std::string& folder : Split(variable != nullptr ? variable : "/bin:/usr/bin", ':')) {
    // An empty element is the working directory (execvp(3)).
    std::string candidate =
        folder.empty() ? fmt::format("./{}", command) : fmt::format("{}/{}", folder, command);
    if (command.empty()) {
      break;
    }
    if (IsExecutableFile(candidate)) {
      return candidate;
    }
    if (::access(candidate.c_str(), F_OK) == 0) {
      reason = EACCES;
    }
  }
  return Fail(SystemError(reason, fmt::format("execute {}", Quote(command))));
}

Expected<LaunchedTask> Launch(TraceKernel& kernel, const TracedCommand& request) {
  const std::vector<std::string>& arguments = request.arguments;
  const TraceTier tier = request.tier;
  ASSIGN_OR_RETURN(Pipe go, MakePipe());
  ASSIGN_OR_RETURN(Pipe report, MakePipe());
  if (::fcntl(report.read_end.get(), F_SETFL, O_NONBLOCK) != 0) {
    return Fail(SystemError(errno, "make a pipe"));
  }
  std::vector<std::string> shell_command{"/bin/sh", request.executable};
  shell_command.insert(shell_command.end(), arguments.begin() + 1, arguments.end());
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> shell_argv = Pointers(shell_command);
  const std::vector<std::string> variables = EnvironmentWith(request.environment);
  const std::vector<char*> environment = Pointers(variables);
  std::vector<sock_filter> filter = tier == TraceTier::kExact  ? std::vector<sock_filter>()
                                    : tier == TraceTier::kFast ? TraceFilterOutside(request.window)
                                                               : TraceFilter();
  const ChildPlan plan{
      .executable = request.executable.c_str(),
      .arguments = argv.data(),
      .shell_arguments = shell_argv.data(),
      .environment = environment.data(),
      .filter = {.len = static_cast<unsigned short>(filter.size()), .filter = filter.data()},
      .go = go.read_end.get(),
      .go_write = go.write_end.get(),
      .report = report.write_end.get(),
      .keep = request.inherited_descriptor.value_or(-1)};
  const pid_t child = ::fork();
  if (child < 0) {
    return Fail(SystemError(errno, "fork"));
  }
  if (child == 0) {
    RunChild(plan);
  }
  const auto give_up = [&](Error error) {
    (void)::kill(child, SIGKILL);
    (void)::waitpid(child, nullptr, __WALL);
    return Fail(std::move(error));
  };
  if (Status seized = kernel.Seize(
          child, tier == TraceTier::kExact ? FilterEvents::kIgnored : FilterEvents::kReported,
          Lifetime::kEndsWithTracer);
      !seized.has_value()) {
    return give_up(ExplainTraceFailure(std::move(seized).error(), ReadTraceSurroundings()));
  }
  if (::write(go.write_end.get(), "", 1) != 1) {
    return give_up(SystemError(errno, "start the program"));
  }
  if (Status stopped = AwaitOwnStop(kernel, child); !stopped.has_value()) {
    return give_up(std::move(stopped).error());
  }
  report.write_end.Reset();
  const std::optional<Report> refused = TakeReport(report.read_end.get());
  return LaunchedTask(child, refused ? TraceTier::kExact : tier, std::move(report.read_end));
}

}  // namespace cordon
