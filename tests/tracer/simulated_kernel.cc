#include "tests/tracer/simulated_kernel.h"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "tracer/trace_filter.h"

namespace cordon::testing {
namespace {

CallStop EntryOf(const SimulatedStep& step, CallStage stage) {
  constexpr Architecture kArch = Architecture::kX86_64;
  return {.stage = stage,
          .audit_arch = AuditArch(kArch),
          .number = static_cast<std::uint64_t>(SyscallNumber(kArch, step.call).value_or(-1)),
          .arguments = {step.argument},
          .result = 0,
          .is_error = false,
          .filter_data = kTraceFilterTag};
}

int EventOf(const SimulatedStep& step) {
  return step.call == "fork" ? kEventFork : step.call == "vfork" ? kEventVfork : kEventClone;
}

}  // namespace

void SimulatedKernel::Describe(pid_t task, pid_t process, std::vector<SimulatedStep> steps) {
  Task& made = tasks_[task];
  made.process = process;
  made.steps = std::move(steps);
}

void SimulatedKernel::Start(pid_t root) {
  Task& task = tasks_.at(root);
  task.there = true;
  task.stopped = true;
  Queue(task);
}

void SimulatedKernel::Queue(Task& task) {
  for (const SimulatedStep& step : task.steps) {
    if (step.kind == SimulatedStep::Kind::kSignal) {
      task.reports.push_back({.status = WaitStatus::ForStop(step.signal), .call = {}});
    } else if (step.kind == SimulatedStep::Kind::kExit) {
      task.reports.push_back({.status = WaitStatus::ForStop(SIGTRAP, kEventExit), .call = {}});
      task.reports.push_back({.status = WaitStatus::ForExit(0), .call = {}});
    } else {
      const bool exact = tier_ == TraceTier::kExact;
      task.reports.push_back(
          {.status =
               exact ? WaitStatus::ForSyscallStop() : WaitStatus::ForStop(SIGTRAP, kEventSeccomp),
           .call = EntryOf(step, exact ? CallStage::kEntry : CallStage::kSeccomp),
           .message = 0,
           .entered = &step});
      if (step.makes != 0) {
        task.reports.push_back({.status = WaitStatus::ForStop(SIGTRAP, EventOf(step)),
                                .call = {},
                                .message = static_cast<std::uint64_t>(step.makes)});
      } else if (step.executes) {
        task.reports.push_back({.status = WaitStatus::ForStop(SIGTRAP, kEventExec), .call = {}});
      }
      task.reports.push_back({.status = WaitStatus::ForSyscallStop(),
                              .call = {.stage = CallStage::kExit, .result = step.makes},
                              .message = 0,
                              .entered = nullptr,
                              .only_if_asked = true});
    }
  }
}

bool SimulatedKernel::HasOtherThreads(pid_t id, const Task& task) const {
  return std::ranges::any_of(tasks_, [&](const auto& other) {
    return other.first != id && other.second.there && other.second.process == task.process;
  });
}

bool SimulatedKernel::CanReport(pid_t id, const Task& task) const {
  if (!task.there || task.stopped || task.reports.empty()) {
    return false;
  }
  const WaitStatus& next = task.reports.front().status;
  const bool ends = next.kind() != WaitStatus::Kind::kStopped;
  const bool executed = next.event() == kEventExec;
  return !((ends && id == task.process) || executed) || !HasOtherThreads(id, task);
}

WaitResult SimulatedKernel::Wait() {
  std::optional<pid_t> chosen;
  for (const auto& [id, task] : tasks_) {
    if (CanReport(id, task) && (!chosen || order_ == ReportOrder::kHighestId)) {
      chosen = id;
    }
  }
  if (!chosen) {
    return {.kind = WaitResult::Kind::kNoTasks};
  }
  Task& task = tasks_.at(*chosen);
  task.current = task.reports.front();
  task.reports.pop_front();
  task.stopped = true;
  if (task.current.status.kind() != WaitStatus::Kind::kStopped) {
    task.there = false;
  }
  return {.kind = WaitResult::Kind::kReport, .task = *chosen, .status = task.current.status};
}

std::vector<pid_t> SimulatedKernel::Left() const {
  std::vector<pid_t> left;
  for (const auto& [id, task] : tasks_) {
    if (task.there) {
      left.push_back(id);
    }
  }
  return left;
}

void SimulatedKernel::Kill(pid_t process) {
  for (auto& [id, task] : tasks_) {
    if (!task.there || task.process != process || task.killed) {
      continue;
    }
    task.killed = true;
    task.stopped = false;
    task.reports.clear();
    if (killed_stop_ == KilledStop::kExitEvent) {
      task.reports.push_back({.status = WaitStatus::ForStop(SIGTRAP, kEventExit), .call = {}});
    }
    task.reports.push_back({.status = WaitStatus::ForKill(SIGKILL), .call = {}});
  }
}

/// Every call on a stopped task starts here.
Status SimulatedKernel::Enter(pid_t id) {
  if (++calls_ == kill_at_) {
    Kill(tasks_.at(id).process);
  }
  const Task& task = tasks_.at(id);
  if (!task.there || !task.stopped) {
    return Fail(SystemError(ESRCH, "simulated"));
  }
  return {};
}

void SimulatedKernel::Execute(pid_t id) {
  Task& task = tasks_.at(id);
  for (auto& [other_id, other] : tasks_) {
    if (other_id != id && other.there && other.process == task.process &&
        other_id != task.process) {
      other.stopped = false;
      other.reports = {{.status = WaitStatus::ForExit(0), .call = {}}};
    }
  }
  task.reports.front().message = static_cast<std::uint64_t>(id);
  if (id != task.process) {
    Task& leader = tasks_.at(task.process);
    leader.reports = std::move(task.reports);
    leader.stopped = false;
    leader.there = true;
    task.there = false;
  }
}

Status SimulatedKernel::Resume(pid_t id, ResumeMode mode, int) {
  RETURN_IF_ERROR(Enter(id));
  Task& task = tasks_.at(id);
  task.stopped = false;
  if (const SimulatedStep* const step = task.current.entered; step != nullptr) {
    if (step->makes != 0) {
      Task& child = tasks_.at(step->makes);
      child.there = true;
      child.parent = task.process;
      child.reports.push_back({.status = WaitStatus::ForStop(SIGTRAP, kEventStop), .call = {}});
      Queue(child);
    } else if (step->executes) {
      Execute(id);
      return {};
    }
  }
  if (!task.reports.empty() && task.reports.front().only_if_asked && mode != ResumeMode::kSyscall) {
    task.reports.pop_front();
  }
  return {};
}

WaitResult SimulatedKernel::WaitFor(pid_t) {
  return Wait();
}

Status SimulatedKernel::Seize(pid_t task, FilterEvents, Lifetime) {
  return Enter(task);
}

Status SimulatedKernel::Detach(pid_t task, int) {
  return Enter(task);
}

Status SimulatedKernel::Interrupt(pid_t task) {
  return Enter(task);
}

Expected<std::uint64_t> SimulatedKernel::EventMessage(pid_t task) {
  RETURN_IF_ERROR(Enter(task));
  return tasks_.at(task).current.message;
}

Expected<CallStop> SimulatedKernel::ReadCall(pid_t task) {
  RETURN_IF_ERROR(Enter(task));
  return tasks_.at(task).current.call;
}

Status SimulatedKernel::SetFirstArgument(pid_t task, std::uint32_t, std::uint64_t) {
  return Enter(task);
}

Status SimulatedKernel::RestoreFirstArgument(pid_t task, std::uint32_t, std::uint64_t) {
  return Enter(task);
}

Status SimulatedKernel::SkipCall(pid_t task, std::uint32_t, int) {
  return Enter(task);
}

Expected<std::uint64_t> SimulatedKernel::ReadWord(pid_t task, std::uint64_t) {
  RETURN_IF_ERROR(Enter(task));
  return kCloneUntraced;
}

Status SimulatedKernel::WriteWord(pid_t task, std::uint64_t, std::uint64_t) {
  return Enter(task);
}

Expected<ProcessStatus> SimulatedKernel::ReadStatus(pid_t id) {
  RETURN_IF_ERROR(Enter(id));
  const Task& task = tasks_.at(id);
  ProcessStatus status;
  status.thread_group = task.process;
  status.parent = task.parent;
  return status;
}

}  // namespace cordon::testing
