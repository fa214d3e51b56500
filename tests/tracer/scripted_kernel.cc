#include "tests/tracer/scripted_kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

namespace cordon::testing {

Status ScriptedKernel::Take(pid_t task, std::string entry) {
  if (std::ranges::find(gone_, task) != gone_.end()) {
    return Fail(SystemError(ESRCH, "scripted"));
  }
  if (!entry.empty()) {
    log.push_back(std::move(entry));
  }
  return {};
}

WaitResult ScriptedKernel::Wait() {
  if (script_.empty()) {
    return {.kind = WaitResult::Kind::kNoTasks};
  }
  const WaitResult next = script_.front();
  script_.pop_front();
  return next;
}

WaitResult ScriptedKernel::WaitFor(pid_t) {
  return Wait();
}

Status ScriptedKernel::Seize(pid_t task, FilterEvents, Lifetime) {
  return Take(task, fmt::format("seize {}", task));
}

Status ScriptedKernel::Resume(pid_t task, ResumeMode mode, int signal) {
  const std::string_view name = mode == ResumeMode::kRun       ? "run"
                                : mode == ResumeMode::kSyscall ? "syscall"
                                                               : "listen";
  return Take(task, fmt::format("resume {} {}{}", task, name,
                                signal != 0 ? fmt::format(" {}", signal) : ""));
}

Status ScriptedKernel::Detach(pid_t task, int signal) {
  return Take(task,
              fmt::format("detach {}{}", task, signal != 0 ? fmt::format(" {}", signal) : ""));
}

Status ScriptedKernel::Interrupt(pid_t task) {
  return Take(task, fmt::format("interrupt {}", task));
}

Expected<std::uint64_t> ScriptedKernel::EventMessage(pid_t task) {
  RETURN_IF_ERROR(Take(task, ""));
  const std::uint64_t message = messages_.at(task).front();
  messages_.at(task).pop_front();
  return message;
}

Expected<CallStop> ScriptedKernel::ReadCall(pid_t task) {
  RETURN_IF_ERROR(Take(task, ""));
  const CallStop stop = calls_.at(task).front();
  calls_.at(task).pop_front();
  return stop;
}

Status ScriptedKernel::SetFirstArgument(pid_t task, std::uint32_t, std::uint64_t value) {
  return Take(task, fmt::format("argument {} {:#x}", task, value));
}

Status ScriptedKernel::RestoreFirstArgument(pid_t task, std::uint32_t, std::uint64_t value) {
  return Take(task, fmt::format("restore {} {:#x}", task, value));
}

Status ScriptedKernel::SkipCall(pid_t task, std::uint32_t, int sys_errno) {
  return Take(task, fmt::format("skip {} {}", task, sys_errno));
}

Expected<std::uint64_t> ScriptedKernel::ReadWord(pid_t task, std::uint64_t) {
  RETURN_IF_ERROR(Take(task, ""));
  return word;
}

Status ScriptedKernel::WriteWord(pid_t task, std::uint64_t, std::uint64_t value) {
  word = value;
  return Take(task, fmt::format("write {:#x}", value));
}

Expected<cpu_set_t> ScriptedKernel::ReadProcessors(pid_t task) {
  RETURN_IF_ERROR(Take(task, ""));
  const auto found = processors.find(task);
  return found != processors.end() ? Expected<cpu_set_t>(found->second)
                                   : TraceKernel::ReadProcessors(task);
}

Status ScriptedKernel::SetProcessors(pid_t task, const cpu_set_t& chosen) {
  std::string names;
  for (std::size_t i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &chosen)) {
      names += (names.empty() ? "" : ",") + std::to_string(i);
    }
  }
  processors[task] = chosen;
  return Take(task, fmt::format("processors {} {}", task, names));
}

}  // namespace cordon::testing
