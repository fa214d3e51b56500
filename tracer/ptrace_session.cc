#include "tracer/ptrace_session.h"

#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "model/syscall_signature.h"
#include "tracer/trace_filter.h"

namespace cordon {
namespace {

constexpr std::uint64_t kLow32 = 0xffffffff;

/// In the order of the enumeration.
constexpr std::array<std::string_view, 3> kTierNames{"exact", "filtered", "fast"};

/// The call that a stop tells of, in the terms of the model; nothing for an ABI that cordon does
/// not know.
std::optional<SyscallInvocation> InvocationOf(const CallStop& stop) {
  const std::optional<Architecture> arch = ArchitectureFromAudit(stop.audit_arch, stop.number);
  if (!arch) {
    return std::nullopt;
  }
  auto number = static_cast<std::int32_t>(stop.number);
  if (*arch == Architecture::kX32) {
    number &= ~static_cast<std::int32_t>(kX32SyscallBit);
  }
  SyscallInvocation invocation{.call = {.arch = *arch, .number = number},
                               .arguments = stop.arguments};
  if (*arch == Architecture::kX86 || *arch == Architecture::kArm) {
    // The kernel hands on 32 bits whatever the upper halves of the registers held.
    for (std::uint64_t& argument : invocation.arguments) {
      argument &= kLow32;
    }
  }
  return invocation;
}

}  // namespace

std::string_view Name(TraceTier tier) {
  return kTierNames.at(static_cast<std::size_t>(tier));
}

std::optional<TraceTier> TraceTierFromName(std::string_view name) {
  const auto* const found = std::ranges::find(kTierNames, name);
  return found == kTierNames.end()
             ? std::nullopt
             : std::optional(static_cast<TraceTier>(found - kTierNames.begin()));
}

SessionCounts PtraceSession::counts() const {
  SessionCounts counts = counts_;
  counts.shared = sharing_ != nullptr ? sharing_->arrivals() : 0;
  if (trap_once_ != nullptr) {
    counts.stubs = trap_once_->counts();
    // A memory counts once, whoever shares it.
    std::set<const AddressSpace*> alive;
    for (const auto& [id, task] : tasks_) {
      if (task.space != nullptr && alive.insert(task.space.get()).second) {
        counts.stubs.hits += trap_once_->Hits(id, *task.space);
      }
    }
  }
  return counts;
}

Status PtraceSession::Begin(pid_t root) {
  Task& task = tasks_[root];
  task.tier = tier_;
  task.process = root;
  if (trap_once_ != nullptr) {
    task.space = std::make_shared<AddressSpace>();
  }
  ++counts_.tasks;
  return kernel_.Resume(root, tier_ == TraceTier::kExact ? ResumeMode::kSyscall : ResumeMode::kRun,
                        0);
}

void PtraceSession::BeginAttached(const std::vector<AttachedTask>& tasks) {
  for (const AttachedTask& attached : tasks) {
    Task& task = tasks_[attached.id];
    task.tier = TraceTier::kExact;
    task.process = attached.process;
    ++counts_.tasks;
    (void)kernel_.Interrupt(attached.id);
  }
}

void PtraceSession::Release() {
  releasing_ = true;
  for (const auto& [id, task] : tasks_) {
    (void)kernel_.Interrupt(id);
  }
  for (const auto& [id, last_clone] : held_) {
    (void)kernel_.Detach(id, 0);
    released_.insert(id);
  }
  held_.clear();
}

/// Every stop is as good as another to let go in (ptrace(2), PTRACE_DETACH).
void PtraceSession::LetGo(pid_t id, const StopEvent& event) {
  if (std::holds_alternative<NewTaskStop>(event)) {
    // The child is traced from its first moment, so it has to be let go of too.
    if (const Expected<std::uint64_t> message = kernel_.EventMessage(id); message.has_value()) {
      const auto child = static_cast<pid_t>(*message);
      if (!released_.contains(child)) {
        Adopt(id, child, tasks_.at(id).clone_flags);
      }
    }
  } else if (std::holds_alternative<SyscallStop>(event)) {
    if (const Expected<CallStop> stop = kernel_.ReadCall(id);
        stop.has_value() && stop->stage == CallStage::kExit) {
      LeaveCall(id, tasks_.at(id), *stop);
    }
  } else if (std::holds_alternative<ExecStop>(event)) {
    FollowExec(id);
  }
  const auto* const signal = std::get_if<SignalStop>(&event);
  if (kernel_.Detach(id, signal != nullptr ? signal->signal : 0).has_value()) {
    FinishClone(tasks_.at(id));
    tasks_.erase(id);
  }
}

std::vector<pid_t> PtraceSession::Tasks() const {
  std::vector<pid_t> ids;
  ids.reserve(tasks_.size());
  for (const auto& [id, task] : tasks_) {
    ids.push_back(id);
  }
  return ids;
}

Expected<PtraceSession::Step> PtraceSession::RunOnce() {
  if (tasks_.empty() && approaching_.empty() && held_.empty() &&
      !(may_have_unheard_ && kernel_.TracesAnything())) {
    return Step::kFinished;
  }
  const WaitResult waited = kernel_.Wait();
  switch (waited.kind) {
    case WaitResult::Kind::kInterrupted:
      return Step::kInterrupted;
    case WaitResult::Kind::kNoTasks:
      return Fail(MakeError(ErrorCode::kInternal,
                            "the kernel knows of no traced task although some have not ended"));
    case WaitResult::Kind::kReport:
      break;
  }
  ++counts_.stops;
  const StopEvent event = ClassifyStop(waited.status);
  if (approaching_.contains(waited.task)) {
    Approach(waited.task, event);
    return Step::kHandled;
  }
  if (const auto known = tasks_.find(waited.task); known != tasks_.end()) {
    NoteStopped(waited.task, known->second);
    if (!known->second.entered && !std::holds_alternative<TaskEnd>(event)) {
      RestoreArgument(waited.task, known->second);  // the first stop of a new task
    }
    if (releasing_ && !std::holds_alternative<TaskEnd>(event)) {
      LetGo(waited.task, event);
    } else {
      Handle(waited.task, event);
    }
  } else {
    HandleUnknown(waited.task, event);
  }
  SettleStrangers();
  return Step::kHandled;
}

void PtraceSession::Handle(pid_t id, const StopEvent& event) {
  if (Task& task = tasks_.at(id); task.space != nullptr && !IsOver(id, task, event)) {
    return;
  }
  std::visit([&](const auto& stop) { On(id, tasks_.at(id), stop); }, event);
}

void PtraceSession::HandleUnknown(pid_t id, const StopEvent& event) {
  // The kernel orders neither a new task's first stop nor its end after its parent's event.
  if (const auto* end = std::get_if<TaskEnd>(&event); end != nullptr) {
    held_.erase(id);
    ended_unknown_.insert_or_assign(id, EndedUnknown{last_clone_, end->outcome});
  } else if (releasing_) {
    (void)kernel_.Detach(id, 0);
    released_.insert(id);
  } else if (std::holds_alternative<ExitingStop>(event)) {
    // Killed. Its process may end only after it, and so may the task that made it.
    held_.erase(id);
    (void)kernel_.Resume(id, ResumeMode::kRun, 0);
  } else {
    held_.insert_or_assign(id, last_clone_);
  }
}

void PtraceSession::Resume(pid_t id, Task& task, int signal) {
  const bool stop_at_calls =
      task.tier == TraceTier::kExact || task.observer_waits || task.exit_needed;
  NoteResumed(task);
  // A task that was killed meanwhile reports its end by itself.
  (void)kernel_.Resume(id, stop_at_calls ? ResumeMode::kSyscall : ResumeMode::kRun, signal);
}

// --- calls ---

void PtraceSession::On(pid_t id, Task& task, const SyscallStop&) {
  const Expected<CallStop> stop = kernel_.ReadCall(id);
  if (!stop.has_value()) {
    return;  // gone: its end is reported next
  }
  if (const auto report = task.space != nullptr && stop->stage == CallStage::kEntry
                              ? trap_once_->ReportAt(id, *task.space, *stop)
                              : std::nullopt) {
    Tell(id, task, *report);
    task.entered = true;  // what follows of it is of no call
  } else if (stop->stage == CallStage::kEntry) {
    EnterCall(id, task, *stop);
  } else if (stop->stage == CallStage::kExit) {
    LeaveCall(id, task, *stop);
  }
  Resume(id, task);
}

void PtraceSession::On(pid_t id, Task& task, const SeccompStop&) {
  const Expected<CallStop> stop = kernel_.ReadCall(id);
  if (!stop.has_value()) {
    return;
  }
  const int refusal = RefusalOf(*stop);
  // In the exact tier the entry stop came first, unless the task was moved there while it ran
  // towards this stop.
  if (task.tier == TraceTier::kFiltered || !task.entered) {
    if (const auto report =
            task.space != nullptr ? trap_once_->ReportAt(id, *task.space, *stop) : std::nullopt) {
      Tell(id, task, *report);
      Resume(id, task);
      return;
    }
    if (PutOff(id, task, *stop)) {
      return;
    }
    EnterCall(id, task, *stop);
    if (task.space != nullptr && !task.entered && refusal == 0 &&
        task.tier == TraceTier::kFiltered) {
      LearnFrom(id, task, stop->instruction_pointer);
    }
  }
  if (refusal != 0) {
    if (!kernel_.SkipCall(id, stop->audit_arch, refusal).has_value()) {
      return;  // gone; should it be there, it must not go on into that call
    }
  } else if (stop->filter_data != kTraceFilterTag &&
             !kernel_.SkipCall(id, stop->audit_arch, ENOSYS).has_value()) {
    // Without a tracer that asked for such stops the call would be ENOSYS (seccomp(2)).
    observer_.OnLimitation("inner-seccomp-filter",
                           "a call that a filter of the workload hands to a tracer was made");
  }
  Resume(id, task);
}

/// The errno with which the profile that the session holds refuses the call; 0: it does not.
int PtraceSession::RefusalOf(const CallStop& stop) const {
  if (!profile_) {
    return 0;
  }
  const std::optional<SyscallInvocation> invocation = InvocationOf(stop);
  return invocation ? profile_->RefusalOf(*invocation) : ENOSYS;
}

void PtraceSession::EnterCall(pid_t id, Task& task, const CallStop& stop) {
  ++counts_.calls;
  const std::optional<SyscallInvocation> invocation = InvocationOf(stop);
  if (!invocation) {
    observer_.OnLimitation("unknown-architecture",
                           "a call of an ABI that cordon does not know was made");
    return;
  }
  task.call = *invocation;
  FinishClone(task);
  task.clone_flags = 0;
  task.exit_needed = false;
  const SyscallEffect effect = SignatureOf(invocation->call).effect;
  if (effect == SyscallEffect::kClone) {
    task.clone = ++last_clone_;
    pending_clones_.insert(task.clone);
    task.exit_needed = true;  // that it failed must be known, too
    NoteClone(id, task, stop);
  } else if (effect == SyscallEffect::kSeccomp || effect == SyscallEffect::kPrctl) {
    task.exit_needed = true;
  } else if (effect == SyscallEffect::kIoUring && io_uring_ == IoUring::kWithheld &&
             !kernel_.SkipCall(id, stop.audit_arch, ENOSYS).has_value()) {
    observer_.OnLimitation("io_uring", "io_uring_setup could not be made to fail");
  }
  PartBefore(id, task, SignatureOf(invocation->call));
  if (task.space != nullptr) {
    BeforeCall(id, task, stop.audit_arch);
  }
  task.observer_waits = observer_.OnEntry(id, *invocation) == ExitInterest::kWanted;
  if (effect == SyscallEffect::kOpen) {
    EndSharingIfSeen(id);
  }
  // Only an exit stop clears this, and in the filtered tier there is none unless it was asked for.
  task.entered = task.tier == TraceTier::kExact || task.observer_waits || task.exit_needed;
}

void PtraceSession::LeaveCall(pid_t id, Task& task, const CallStop& stop) {
  if (!task.entered) {
    return;  // a new task leaves the call that made it
  }
  task.entered = false;
  task.exit_needed = false;
  FinishClone(task);
  RestoreCloneFlags(id, task);
  const CallResult result{.value = stop.result,
                          .sys_errno = stop.is_error ? static_cast<int>(-stop.result) : 0};
  WatchForFilter(id, task, result);
  if (task.space != nullptr) {
    AfterCall(id, task, result);
    FinishChange(task);
  }
  if (std::exchange(task.observer_waits, false)) {
    observer_.OnExit(id, result);
    if (task.space != nullptr && task.tier == TraceTier::kFiltered) {
      LearnFrom(id, task, stop.instruction_pointer);
    }
  }
}

void PtraceSession::NoteClone(pid_t id, Task& task, const CallStop& stop) {
  const std::string_view name = SignatureOf(task.call.call).name;
  const std::uint64_t first = task.call.arguments[0];
  if (name == "clone") {
    task.clone_flags = first;
    if ((first & kCloneUntraced) == 0) {
      return;
    }
    if (kernel_.SetFirstArgument(id, stop.audit_arch, first & ~kCloneUntraced).has_value()) {
      task.changed_argument = ChangedArgument{.audit_arch = stop.audit_arch, .value = first};
    } else {
      observer_.OnLimitation("untraced-clone",
                             "a task was made with CLONE_UNTRACED, which could not be taken out");
    }
    return;
  }
  if (name == "vfork") {
    task.clone_flags = kCloneVm;
    return;
  }
  if (name != "clone3") {
    return;
  }
  const Expected<std::uint64_t> flags =
      kernel_.ReadWord(id, first);  // flags is the first member of struct clone_args
  if (!flags.has_value()) {
    return;
  }
  task.clone_flags = *flags;
  if ((*flags & kCloneUntraced) == 0) {
    return;
  }
  if (kernel_.WriteWord(id, first, *flags & ~kCloneUntraced).has_value()) {
    task.clone3_flags_address = first;
    task.exit_needed = true;
  } else {
    observer_.OnLimitation(
        "untraced-clone",
        "a task was made with CLONE_UNTRACED in memory that could not be written");
  }
}

void PtraceSession::RestoreCloneFlags(pid_t id, Task& task) {
  if (task.clone3_flags_address) {
    (void)kernel_.WriteWord(id, *task.clone3_flags_address, task.clone_flags);
    task.clone3_flags_address.reset();
  }
  RestoreArgument(id, task);
}

void PtraceSession::RestoreArgument(pid_t id, Task& task) {
  if (task.changed_argument) {
    (void)kernel_.RestoreFirstArgument(id, task.changed_argument->audit_arch,
                                       task.changed_argument->value);
    task.changed_argument.reset();
  }
}

void PtraceSession::WatchForFilter(pid_t id, Task& task, CallResult result) {
  if (!result.ok()) {
    return;
  }
  const SyscallEffect effect = SignatureOf(task.call.call).effect;
  const std::uint64_t operation = task.call.arguments[0];
  const bool by_prctl = effect == SyscallEffect::kPrctl && operation == PR_SET_SECCOMP;
  const bool by_seccomp =
      effect == SyscallEffect::kSeccomp &&
      (operation == SECCOMP_SET_MODE_FILTER || operation == SECCOMP_SET_MODE_STRICT);
  if (!by_prctl && !by_seccomp) {
    return;
  }
  MoveToExact(id, task);
  if (by_seccomp && (task.call.arguments[1] & SECCOMP_FILTER_FLAG_TSYNC) != 0) {
    for (auto& [other_id, other] : tasks_) {
      if (other_id != id && other.process == task.process && other.tier == TraceTier::kFiltered) {
        MoveToExact(other_id, other);
        (void)kernel_.Interrupt(
            other_id);  // it must not make another call before it is resumed in the new way
      }
    }
  }
}

void PtraceSession::MoveToExact(pid_t id, Task& task) {
  if (task.tier == TraceTier::kFiltered) {
    if (task.space != nullptr) {
      // The workload's filter may look at where a call is made: none is made elsewhere from now on.
      trap_once_->Close(id, *task.space);
    }
    task.tier = TraceTier::kExact;
    ++counts_.exact_tasks;
  }
}

// --- stubs ---

/// Is the task done with what it was made to do, so that the event is one of the program?
bool PtraceSession::IsOver(pid_t id, Task& task, const StopEvent& event) {
  return !trap_once_->Busy(id) || !trap_once_->Advance(id, *task.space, event);
}

/// Must the call wait until the task's memory is prepared?
bool PtraceSession::PutOff(pid_t id, Task& task, const CallStop& stop) {
  if (task.space == nullptr || task.tier != TraceTier::kFiltered ||
      stop.filter_data != kTraceFilterTag) {
    return false;
  }
  const std::optional<SyscallInvocation> invocation = InvocationOf(stop);
  if (!invocation) {
    return false;
  }
  if (SignatureOf(invocation->call).effect == SyscallEffect::kClone) {
    constexpr std::uint64_t kThread = kCloneVm | kCloneFiles | kCloneFs;
    if ((CloneFlags(id, *invocation) & kThread) == kThread) {
      if (trap_once_->BeforeThread(id, *task.space, stop)) {
        return true;
      }
      DescribeDescriptors(id, task);
    }
  }
  return trap_once_->Interpose(id, *task.space, stop);
}

/// CLONE_* of a call that makes a task; 0 where they cannot be read or there are none.
std::uint64_t PtraceSession::CloneFlags(pid_t id, const SyscallInvocation& invocation) {
  const std::string_view name = SignatureOf(invocation.call).name;
  if (name == "clone") {
    return invocation.arguments[0];
  }
  return name == "clone3" ? kernel_.ReadWord(id, invocation.arguments[0]).value_or(0) : 0;
}

// --- tasks ---

void PtraceSession::On(pid_t id, Task& task, const NewTaskStop&) {
  const Expected<std::uint64_t> message = kernel_.EventMessage(id);
  if (!message.has_value()) {
    return;  // gone, and its clone stays open: nobody will tell of the child
  }
  Adopt(id, static_cast<pid_t>(*message), task.clone_flags);
  Task& maker = tasks_.at(id);
  FinishClone(maker);
  Resume(id, maker);
}

void PtraceSession::Adopt(pid_t parent, pid_t child, std::uint64_t clone_flags) {
  if (tasks_.contains(child)) {
    return;
  }
  const Task& maker = tasks_.at(parent);
  ++counts_.tasks;
  observer_.OnNewTask(parent, child, clone_flags);
  if (const auto ended = ended_unknown_.find(child);
      ended != ended_unknown_.end() && maker.clone <= ended->second.last_clone) {
    const Outcome outcome = ended->second.outcome;
    ended_unknown_.erase(ended);
    observer_.OnEnd(child, outcome);
    return;
  }
  Task made;
  made.tier = maker.tier;
  made.process = (clone_flags & kCloneThread) != 0 ? maker.process : child;
  made.changed_argument = maker.changed_argument;
  if (maker.space != nullptr) {
    ShareSpace(parent, maker, child, made, clone_flags);
  }
  if (sharing_ != nullptr) {
    sharing_->NoteMade(child, maker.placement, made.placement);
  }
  Task& task = tasks_.emplace(child, made).first->second;
  if (held_.erase(child) != 0) {
    RestoreArgument(child, task);
    Resume(child, task);
  }
}

void PtraceSession::FinishClone(Task& task) {
  pending_clones_.erase(std::exchange(task.clone, 0));
}

void PtraceSession::SettleStrangers() {
  if (held_.empty() && ended_unknown_.empty()) {
    return;
  }
  // A stranger was made by a clone that had begun before it was heard of. When all of those are
  // over, the one that made it was killed before its event.
  const auto abandoned = [&](std::uint64_t last_clone) {
    return pending_clones_.empty() || *pending_clones_.begin() > last_clone;
  };
  std::erase_if(ended_unknown_,
                [&](const auto& entry) { return abandoned(entry.second.last_clone); });
  std::vector<pid_t> orphans;
  for (const auto& [id, last_clone] : held_) {
    if (abandoned(last_clone)) {
      orphans.push_back(id);
    }
  }
  for (const pid_t orphan : orphans) {
    AdoptOrphan(orphan);
  }
}

void PtraceSession::AdoptOrphan(pid_t child) {
  const Expected<ProcessStatus> status = kernel_.ReadStatus(child);
  if (!status.has_value()) {
    return;  // gone: its end is reported next
  }
  const bool thread = status->thread_group != child;
  if (trap_once_ != nullptr && !thread) {
    trap_once_->Silence(child);
  }
  pid_t parent = thread ? status->thread_group : status->parent;
  if (!tasks_.contains(parent)) {
    if (tasks_.empty()) {
      Task& made = tasks_[child];
      made.tier = tier_;
      made.process = status->thread_group;
      if (sharing_ != nullptr) {
        sharing_->Free(child);
      }
      // Of its memory nothing is known.
      ++counts_.tasks;
      held_.erase(child);
      observer_.OnNewTask(0, child, 0);
      Resume(child, made);
      return;
    }
    parent = tasks_.begin()->first;
  }
  const std::uint64_t clone_flags = thread ? kCloneThread | kCloneFs | kCloneFiles : 0;
  held_.erase(child);
  Adopt(parent, child, clone_flags);
  const auto made = tasks_.find(child);
  if (made == tasks_.end()) {
    return;
  }
  if (made->second.space != nullptr && !thread) {
    made->second.space = std::make_shared<AddressSpace>();  // not of that parent
    made->second.space->state = AddressSpace::State::kRefused;
  }
  // Whatever its maker was: a filter besides ours calls for the exact tier.
  if (status->seccomp_filters > own_filters_) {
    MoveToExact(child, made->second);
  }
  RestoreArgument(child, made->second);
  Resume(child, made->second);
}

void PtraceSession::On(pid_t id, Task&, const ExecStop&) {
  FollowExec(id);
  Resume(id, tasks_.at(id));
}

void PtraceSession::FollowExec(pid_t id) {
  // A thread other than the leader takes over the leader's id, and nothing else is heard of that
  // one (ptrace(2), "execve(2) under ptrace").
  pid_t former = id;
  if (const Expected<std::uint64_t> message = kernel_.EventMessage(id); message.has_value()) {
    former = static_cast<pid_t>(*message);
  }
  if (former != id) {
    if (auto node = tasks_.extract(former); !node.empty()) {
      FinishClone(tasks_[id]);
      if (sharing_ != nullptr) {
        sharing_->NoteEnd(tasks_[id].placement);
      }
      tasks_[id] = node.mapped();
      tasks_[id].process = id;
    }
  }
  if (Task& task = tasks_.at(id); task.space != nullptr) {
    task.space->hits_at_end =
        std::max(task.space->hits_at_end, std::exchange(task.hits_before_exec, 0));
    LeaveSpace(task);
    task.space = std::make_shared<AddressSpace>();
  }
  observer_.OnExec(former, id);
}

void PtraceSession::On(pid_t id, Task& task, const ExitingStop&) {
  if (task.space != nullptr) {
    task.exiting = true;
    ShowOriginalPlace(id, task);  // killed in a call that was to be reported
  }
  if (task.space != nullptr) {
    // All threads of a process that ends come here before the memory goes.
    task.space->hits_at_end = trap_once_->Hits(id, *task.space);
  }
  observer_.OnExiting(id);
  Resume(id, task);
}

void PtraceSession::On(pid_t id, Task& task, const TaskEnd& end) {
  const pid_t process = task.process;
  Forget(id, end);
  if (process == id) {
    EndLostThreads(process, end);
  }
}

void PtraceSession::Forget(pid_t id, const TaskEnd& end) {
  may_have_unheard_ = may_have_unheard_ || tasks_.at(id).clone != 0;
  FinishClone(tasks_.at(id));
  FinishChange(tasks_.at(id));
  LeaveSpace(tasks_.at(id));
  if (sharing_ != nullptr) {
    sharing_->NoteEnd(tasks_.at(id).placement);
  }
  tasks_.erase(id);
  observer_.OnEnd(id, end.outcome);
}

void PtraceSession::EndLostThreads(pid_t process, const TaskEnd& end) {
  // The end of a leader is reported after that of every other thread (delay_group_leader() in
  // kernel/exit.c). A thread that is still there took over the leader's id in execve(2) and was
  // killed before PTRACE_EVENT_EXEC could tell: nothing is heard of its former id any more.
  std::vector<pid_t> lost;
  for (const auto& [id, task] : tasks_) {
    if (task.process == process) {
      lost.push_back(id);
    }
  }
  for (const pid_t id : lost) {
    Forget(id, end);
  }
}

// --- signals ---

void PtraceSession::On(pid_t id, Task& task, const GroupStop& stop) {
  if (task.space != nullptr) {
    ShowOriginalPlace(id, task);
  }
  (void)kernel_.Resume(id, ResumeMode::kListen, 0);
  if (on_group_stop_) {
    on_group_stop_(id, stop.signal);
  }
}

void PtraceSession::On(pid_t id, Task& task, const SignalStop& stop) {
  if (task.space != nullptr) {
    if (trap_once_->IsFaultOfStub(id, *task.space, stop.signal)) {
      Resume(id, task);
      return;
    }
    ShowOriginalPlace(id, task);
  }
  Resume(id, task, stop.signal);
}

void PtraceSession::On(pid_t id, Task& task, const TrapStop&) {
  if (task.space != nullptr) {
    ShowOriginalPlace(id, task);  // a call that it slept in may begin anew
  }
  Resume(id, task);
}

void PtraceSession::On(pid_t id, Task& task, const OtherStop&) {
  Resume(id, task);
}

}  // namespace cordon
