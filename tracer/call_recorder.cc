#include "tracer/call_recorder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "observe/call_values.h"
#include "tracer/call_shape.h"
#include "tracer/inherited_state.h"

namespace cordon {
namespace {

/// ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK (include/linux/errno.h):
/// never seen by a program.
bool WillBeRestarted(int sys_errno) {
  return sys_errno == 512 || sys_errno == 513 || sys_errno == 514 || sys_errno == 516;
}

/// Has this call, with these arguments, succeeded before?
bool HasSucceeded(const SyscallObservation& observation, const ArgumentTuple& tuple) {
  if (tuple.empty() || observation.overflow) {
    return observation.results.contains(0);
  }
  const auto found = observation.tuples.find(tuple);
  return found != observation.tuples.end() && found->second.results.contains(0);
}

/// Is a file that says where a task may run among the files of the call (proc(5), Cpus_allowed)?
bool OpensStatus(const CallFrame& frame) {
  return std::ranges::any_of(frame.files, [](const NamedFile& file) {
    return file.path != nullptr && file.path->key.path.starts_with("/proc/") &&
           file.path->key.path.ends_with("/status");
  });
}

/// A thing seen once and one seen often are told apart (RecordingLog::MeasureCoverage).
bool WasSeenTwice(const CallFrame& frame) {
  const auto tuple = frame.observation->tuples.find(frame.tuple);
  return frame.observation->seen.count >= 2 &&
         (tuple == frame.observation->tuples.end() || tuple->second.count >= 2);
}

/// The next use of the descriptor is of the same file, as long as the process does not end it.
void NoteDescriptor(FileLookup& lookup, TaskState& task, const CallFrame& frame,
                    const CallShape& shape, Repetition& repetition) {
  const auto* const part =
      std::ranges::find(shape.parts, KeyPart::Kind::kDescriptor, &KeyPart::kind);
  if (part != shape.parts.end()) {
    const int fd = DescriptorNumber(frame.meant.arguments.at(part->index));
    repetition.opened_as = static_cast<std::uint32_t>(fd);
    repetition.opened = lookup.IdentityOf(task, fd);
  }
}

}  // namespace

CallRecorder::CallRecorder()
    : lookup_(log_,
              [this](pid_t id) {
                return id >= 0 && static_cast<std::size_t>(id) < seen_ids_.size() &&
                       seen_ids_[static_cast<std::size_t>(id)];
              }),
      files_(log_, lookup_),
      sockets_(log_, lookup_),
      processes_(log_, lookup_),
      capabilities_(log_) {}

void CallRecorder::Begin(pid_t root) {
  TaskState& task = Create(root);
  lookup_.ForgetRoot(task);
  processes_.RefreshCredentials(task);
}

void CallRecorder::BeginAttached(const std::vector<AttachedTask>& tasks) {
  log_.Tick();
  for (const AttachedTask& attached : tasks) {
    RememberId(attached.id);  // all, before any path in /proc is named
  }
  for (const AttachedTask& attached : tasks) {
    const TaskState* const leader = Find(attached.process);
    if (attached.id != attached.process && leader != nullptr) {
      TaskState made = *leader;
      made.id = attached.id;
      ++made.process->live_tasks;
      tasks_[attached.id] = std::move(made);
      continue;
    }
    TaskState& task = Create(attached.id);
    task.process->id = attached.process;
    lookup_.ForgetRoot(task);
    const TaskState* const parent = Find(attached.parent);
    processes_.NoteRunning(task, parent != nullptr ? parent->process.get() : nullptr);
    NoteInheritedState(task, lookup_, log_);
  }
  meter_.NoteTasks(tasks_.size());
  if (serve_on_listen_ && log_.HasListener()) {
    BeginServing();
  }
}

TaskState& CallRecorder::Create(pid_t id) {
  TaskState& task = tasks_[id];
  task.id = id;
  task.process = std::make_shared<Process>();
  task.process->id = id;
  task.process->innermost_pid = id;
  task.descriptors = std::make_shared<DescriptorTable>();
  task.view = std::make_shared<FileSystemView>();
  RememberId(id);
  meter_.NoteTasks(tasks_.size());
  return task;
}

void CallRecorder::RememberId(pid_t id) {
  const auto index = static_cast<std::size_t>(id);
  if (index >= seen_ids_.size()) {
    seen_ids_.resize(index + 1);
  }
  seen_ids_[index] = true;
}

TaskState* CallRecorder::Find(pid_t id) {
  const auto found = tasks_.find(id);
  return found == tasks_.end() ? nullptr : &found->second;
}

void CallRecorder::BeginServing() {
  if (log_.phase() == Phase::kServe) {
    return;
  }
  log_.BeginServing();
  // What was noted before must be noted again, for this phase.
  lookup_.Forget();
  files_.Forget();
  for (auto& [id, task] : tasks_) {
    for (auto& [fd, descriptor] : task.descriptors->open) {
      descriptor.noted = {};
      descriptor.ioctls.clear();
      descriptor.noted_for.clear();
    }
  }
  if (on_begin_serving_) {
    on_begin_serving_();
  }
}

/// Has this call, with these arguments, succeeded before in this phase?
bool CallRecorder::IsKnown(const CallFrame& frame) const {
  if (!HasSucceeded(*frame.observation, frame.tuple)) {
    return false;
  }
  if (log_.phase() == Phase::kStart) {
    return true;
  }
  const auto found = succeeded_serving_.find(frame.observation);
  return found != succeeded_serving_.end() &&
         found->second.contains(frame.observation->overflow ? ArgumentTuple() : frame.tuple);
}

ExitInterest CallRecorder::OnEntry(pid_t id, const SyscallInvocation& invocation) {
  log_.Tick();
  last_repetition_ = {};
  opens_status_ = 0;
  TaskState* const task = Find(id);
  if (task == nullptr) {
    return ExitInterest::kNotWanted;
  }
  const SyscallSignature& signature = SignatureOf(invocation.call);
  SyscallObservation& observation = log_.Call(invocation.call);
  observation.seen.Note(log_.now_ms(), task->program(), log_.phase());
  CallFrame& frame = task->frame.emplace();
  frame.invocation = invocation;
  frame.meant = invocation;
  frame.signature = &signature;
  frame.observation = &observation;
  const ProcessMemory memory(id);
  if (!signature.scalars.empty()) {
    Expected<ArgumentTuple> tuple = ReadArgumentTuple(invocation, signature, memory);
    frame.unreadable = !tuple.has_value();
    frame.tuple = std::move(tuple).value_or(ArgumentTuple());
  }
  if (signature.effect == SyscallEffect::kSocketCall) {
    if (const std::optional<SyscallInvocation> inner = UnwrapSocketCall(invocation, memory)) {
      frame.meant = *inner;
      frame.signature = &SignatureOf(inner->call);
    }
  }
  if (on_terminal_output_) {
    TellOfOutput(*task, frame);
  }
  capabilities_.BeforeCall(*task, frame);
  bool wanted = files_.Before(*task, frame) == ExitInterest::kWanted;
  if (signature.effect == SyscallEffect::kOpen && OpensStatus(frame)) {
    opens_status_ = id;
  }
  wanted |= sockets_.Before(*task, frame) == ExitInterest::kWanted;
  wanted |= processes_.Before(*task, frame) == ExitInterest::kWanted;
  if (signature.result == ResultKind::kNone) {
    NoteResult(frame, std::nullopt);
    task->frame.reset();
    return ExitInterest::kNotWanted;
  }
  wanted |= frame.signature->result == ResultKind::kDescriptor || frame.unreadable;
  if (!wanted && IsKnown(frame)) {
    NoteResult(frame, std::nullopt);
    last_entered_ = id;
    last_repetition_ = RepetitionIn(*task, frame);
    task->frame.reset();
    return ExitInterest::kNotWanted;
  }
  return ExitInterest::kWanted;
}

bool CallRecorder::OpensProcessStatus(pid_t id) {
  return id == opens_status_;
}

Repetition CallRecorder::RepetitionOf(pid_t id) {
  return id == last_entered_ ? last_repetition_ : Repetition();
}

void CallRecorder::OnDescriptor(pid_t id, int fd, std::uint32_t identity) {
  TaskState* const task = Find(id);
  if (task == nullptr) {
    return;
  }
  const auto known = task->descriptors->open.find(fd);
  if (known != task->descriptors->open.end() &&
      (identity == 0 || known->second.identity != identity)) {
    task->descriptors->open.erase(known);
  }
}

std::vector<std::pair<int, std::uint32_t>> CallRecorder::DescriptorsOf(pid_t id) {
  std::vector<std::pair<int, std::uint32_t>> identities;
  if (TaskState* const task = Find(id); task != nullptr) {
    for (const auto& [fd, descriptor] : task->descriptors->open) {
      identities.emplace_back(fd, 0);
    }
    for (auto& [fd, identity] : identities) {
      identity = lookup_.IdentityOf(*task, fd);
    }
  }
  return identities;
}

/// What another call with the same path would tell that comes out alike.
Repetition CallRecorder::RepetitionAfter(TaskState& task, const CallFrame& frame,
                                         CallResult result) {
  Repetition repetition;
  const std::optional<CallShape> shape = ShapeOf(frame.invocation.call);
  if (frame.signature->effect == SyscallEffect::kOpen && result.ok()) {
    repetition.opened_as = static_cast<std::uint32_t>(result.value);
    repetition.opened = lookup_.IdentityOf(task, static_cast<int>(result.value));
  }
  if (shape && shape->controls &&
      DuplicatesDescriptor(static_cast<std::uint32_t>(frame.meant.arguments[1]))) {
    repetition.silent = result.ok() && WasSeenTwice(frame);
    return repetition;
  }
  if (shape && !shape->path && result.ok()) {
    NoteDescriptor(lookup_, task, frame, *shape, repetition);
  }
  if (!shape || !shape->path || frame.files.size() != 1 || frame.unreadable ||
      frame.observation->seen.count < 2 || (frame.open_flags & kMoreThanOpens) != 0) {
    return repetition;
  }
  const NamedFile& file = frame.files.front();
  const bool itself = file.path == nullptr && file.descriptor.has_value();
  // What a name in /proc means depends on more (FileLookup).
  if (!itself &&
      (file.path == nullptr || file.cache_key.empty() || log_.SightingsOf(file.path->key) < 2)) {
    return repetition;
  }
  if (shape->path->directory) {
    const auto fd = DescriptorNumber(frame.meant.arguments.at(*shape->path->directory));
    repetition.identities[0] = fd == AT_FDCWD ? 0 : lookup_.IdentityOf(task, fd);
    if (fd != AT_FDCWD && repetition.identities[0] == 0) {
      return repetition;
    }
  }
  if (shape->opens && result.ok() && repetition.opened == 0) {
    return repetition;
  }
  repetition.result = !result.ok() ? -result.sys_errno : shape->opens ? repetition.opened : 0;
  repetition.silent = true;
  return repetition;
}

/// What another call like that of `frame`, whose result is not needed, would tell.
Repetition CallRecorder::RepetitionIn(TaskState& task, const CallFrame& frame) {
  const std::optional<CallShape> shape = ShapeOf(frame.invocation.call);
  if (!shape || !WasSeenTwice(frame)) {
    return {};
  }
  Repetition repetition{.silent = true};
  if (shape->path) {
    // Nothing but the empty path, which stands for the descriptor itself, comes here.
    if (!shape->path->directory || frame.files.size() != 1 || frame.files.front().path != nullptr ||
        !frame.files.front().descriptor) {
      return {};
    }
    repetition.identities[0] = lookup_.IdentityOf(
        task, DescriptorNumber(frame.meant.arguments.at(*shape->path->directory)));
    repetition.silent = repetition.identities[0] != 0;
    return repetition;
  }
  std::size_t descriptors = 0;
  for (std::size_t i = 0; i < shape->size; ++i) {
    if (shape->parts.at(i).kind != KeyPart::Kind::kDescriptor) {
      continue;
    }
    if (shape->controls && !ControlsFile(static_cast<std::uint32_t>(frame.meant.arguments[1]))) {
      continue;
    }
    const int fd = DescriptorNumber(frame.meant.arguments.at(shape->parts.at(i).index));
    const std::uint32_t identity = lookup_.IdentityOf(task, fd);
    if (identity == 0 || descriptors == repetition.identities.size()) {
      return {};
    }
    repetition.identities.at(descriptors++) = identity;
  }
  repetition.silent = FollowsFromParts(task, frame);
  return repetition;
}

/// Does nothing but the parts of its shape decide what was made of the call?
bool CallRecorder::FollowsFromParts(TaskState& task, const CallFrame& frame) {
  const auto socket = [&] {
    return lookup_.SocketOf(task, DescriptorNumber(frame.meant.arguments[0]));
  };
  if (on_terminal_output_ && frame.signature->roles[0] == ArgumentRole::kWriteFd) {
    const Descriptor* const to =
        lookup_.DescriptorOf(task, DescriptorNumber(frame.meant.arguments[0]));
    return to != nullptr && !S_ISCHR(to->file.status.st_mode);
  }
  switch (frame.signature->effect) {
    case SyscallEffect::kMap:
      // At a place of its own choice a program may map over what it does not know of.
      if ((ArgumentWithRole(frame, ArgumentRole::kMapFlags).value_or(0) & MAP_FIXED) != 0) {
        return false;
      }
      return (ArgumentWithRole(frame, ArgumentRole::kMapFlags).value_or(0) & MAP_ANONYMOUS) != 0 &&
             (ArgumentWithRole(frame, ArgumentRole::kProtection).value_or(0) & PROT_EXEC) == 0;
    case SyscallEffect::kSend:
    case SyscallEffect::kSendMessage: {
      // Of others the address matters.
      const std::optional<SocketIdentity> to = socket();
      return to && (to->type == SOCK_STREAM || to->type == SOCK_SEQPACKET);
    }
    case SyscallEffect::kReceiveMessage: {
      // Those of AF_UNIX may bring descriptors.
      const std::optional<SocketIdentity> from = socket();
      return from && from->family != AF_UNIX;
    }
    default:
      return true;
  }
}

void CallRecorder::OnTerminalOutput(std::function<void(OutputEnd)> callback) {
  struct stat status{};
  if (::fstat(STDERR_FILENO, &status) == 0 && S_ISCHR(status.st_mode)) {
    terminal_ = status.st_rdev;
    on_terminal_output_ = std::move(callback);
  }
}

void CallRecorder::TellOfOutput(TaskState& task, const CallFrame& frame) {
  if (frame.signature->roles[0] != ArgumentRole::kWriteFd) {
    return;
  }
  const Descriptor* const to =
      lookup_.DescriptorOf(task, DescriptorNumber(frame.meant.arguments[0]));
  static const dev_t kControllingTerminal = makedev(5, 0);  // /dev/tty (tty(4))
  if (to == nullptr || !S_ISCHR(to->file.status.st_mode) ||
      (to->file.status.st_rdev != terminal_ && to->file.status.st_rdev != kControllingTerminal)) {
    return;
  }
  char last = 0;
  const std::uint64_t size = frame.meant.arguments[2];
  if (frame.signature->name == "write" && size > 0) {
    last = ProcessMemory(task.id)
               .ReadValue<char>(RemoteAddress{frame.meant.arguments[1]} + (size - 1))
               .value_or('\0');
  }
  on_terminal_output_(last == '\n' ? OutputEnd::kLineEnded : OutputEnd::kLineOpen);
}

void CallRecorder::NoteResult(CallFrame& frame, std::optional<int> sys_errno) {
  TupleObservation one{.count = 1, .results = {}, .phases = {}};
  one.phases.Add(log_.phase());
  const std::size_t known = frame.observation->tuples.size();
  if (sys_errno) {
    if (++frame.observation->results[*sys_errno] == 1) {
      log_.Discovered();
    }
    one.results[*sys_errno] = 1;
  }
  frame.observation->AddTuple(frame.tuple, one);
  if (frame.observation->tuples.size() > known) {
    log_.Discovered();
  }
  if (sys_errno == 0 && log_.phase() == Phase::kServe) {
    succeeded_serving_[frame.observation].insert(frame.observation->overflow ? ArgumentTuple()
                                                                             : frame.tuple);
  }
}

void CallRecorder::OnExit(pid_t id, CallResult result) {
  log_.Tick();
  last_repetition_ = {};
  TaskState* const task = Find(id);
  if (task == nullptr || !task->frame) {
    return;
  }
  CallFrame& frame = *task->frame;
  if (WillBeRestarted(result.sys_errno)) {
    NoteResult(frame, std::nullopt);
    task->frame.reset();
    return;
  }
  NoteResult(frame, result.sys_errno);
  if (frame.unreadable && result.sys_errno != EFAULT) {
    log_.NoteLimitation("unreadable-memory",
                        fmt::format("an argument of {} could not be read", frame.signature->name));
  }
  files_.After(*task, frame, result);
  sockets_.After(*task, frame, result);
  processes_.After(*task, frame, result);
  if (result.ok()) {
    capabilities_.AfterSuccess(*task, frame);
  }
  meter_.NoteOpenFiles(task->descriptors->highest);
  last_entered_ = id;
  last_repetition_ = RepetitionAfter(*task, frame, result);
  const bool listens = result.ok() && frame.signature->effect == SyscallEffect::kListen;
  task->frame.reset();
  if (listens && serve_on_listen_) {
    BeginServing();
  }
  Sample();
}

void CallRecorder::Sample() {
  const auto now = std::chrono::steady_clock::now();
  if (meter_.Due(now)) {
    meter_.Sample(Processes(), now);
  }
}

void CallRecorder::OnNewTask(pid_t parent, pid_t child, std::uint64_t clone_flags) {
  constexpr std::uint64_t kCloneNewPid = 0x20000000;
  constexpr std::uint64_t kCloneNewUser = 0x10000000;
  constexpr std::uint64_t kCloneNewNs = 0x00020000;
  log_.Tick();
  const TaskState* const maker = Find(parent);
  if (maker == nullptr) {
    TaskState& task = Create(child);
    lookup_.ForgetRoot(task);
    processes_.RefreshCredentials(task);
    log_.NoteLimitation("unknown-parent",
                        "a task appeared whose parent had been killed before it was heard of");
    return;
  }
  const bool nested = maker->process->innermost_pid != maker->process->id;
  TaskState made;
  made.id = child;
  if ((clone_flags & kCloneThread) != 0) {
    made.process = maker->process;
    ++made.process->live_tasks;
  } else {
    made.process = std::make_shared<Process>(*maker->process);
    made.process->id = child;
    made.process->innermost_pid = child;
    made.process->live_tasks = 1;
  }
  made.descriptors = (clone_flags & kCloneFiles) != 0
                         ? maker->descriptors
                         : std::make_shared<DescriptorTable>(
                               DescriptorTable{.open = {}, .highest = maker->descriptors->highest});
  made.view =
      (clone_flags & kCloneFs) != 0 ? maker->view : std::make_shared<FileSystemView>(*maker->view);
  TaskState& task = tasks_[child] = std::move(made);
  RememberId(child);
  if ((clone_flags & kCloneNewNs) != 0) {
    lookup_.ForgetRoot(task);
  }
  if (nested || (clone_flags & (kCloneNewPid | kCloneNewUser)) != 0) {
    processes_.RefreshCredentials(task);
  }
  meter_.NoteTasks(tasks_.size());
}

void CallRecorder::OnExec(pid_t former, pid_t id) {
  log_.Tick();
  if (former != id) {
    if (auto node = tasks_.extract(former); !node.empty()) {
      tasks_.erase(id);
      node.key() = id;
      node.mapped().id = id;
      tasks_.insert(std::move(node));
    }
  }
  TaskState* const task = Find(id);
  if (task == nullptr) {
    return;
  }
  // The new program has the process to itself, even if it shared the object with a vfork(2)
  // parent's bookkeeping before.
  task->process->live_tasks = 1;
  processes_.AfterExec(*task);
}

void CallRecorder::OnExiting(pid_t id) {
  const TaskState* const task = Find(id);
  if (task == nullptr || task->process->live_tasks == 0) {
    return;
  }
  if (--task->process->live_tasks == 0) {
    meter_.NoteExiting(task->process->id);
  }
}

void CallRecorder::OnEnd(pid_t id, const Outcome&) {
  tasks_.erase(id);
}

void CallRecorder::OnLimitation(const std::string& kind, const std::string& detail) {
  log_.NoteLimitation(kind, detail);
}

std::set<pid_t> CallRecorder::Processes() const {
  std::set<pid_t> processes;
  for (const auto& [id, task] : tasks_) {
    processes.insert(task.process->id);
  }
  return processes;
}

Recording CallRecorder::Take() {
  Recording recording = log_.Take();
  recording.resources = meter_.peaks();
  return recording;
}

}  // namespace cordon
