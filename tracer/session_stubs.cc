#include <sys/mman.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "model/syscall_signature.h"
#include "tracer/ptrace_session.h"
#include "tracer/trace_permission.h"

// What the session does for stubs while it follows tasks.

namespace cordon {
namespace {

constexpr std::uint64_t kLow32 = 0xffffffff;

constexpr std::uint64_t kWholeView = kCloneFiles | kCloneFs;

/// May a path, also one that is known, mean another file after such a call, or tell more? That its
/// last part appears shows in the results of calls with it.
bool ChangesNames(SyscallEffect effect) {
  switch (effect) {
    case SyscallEffect::kUnlink:
    case SyscallEffect::kRename:
    case SyscallEffect::kSymlink:
    case SyscallEffect::kMakeDirectory:
    case SyscallEffect::kMount:
    case SyscallEffect::kUnmount:
    case SyscallEffect::kChangeDirectory:
    case SyscallEffect::kChangeRoot:
    case SyscallEffect::kUnshare:
    case SyscallEffect::kSetNamespace:
    case SyscallEffect::kCredentials:
    case SyscallEffect::kOwner:
    case SyscallEffect::kSetattr:
    case SyscallEffect::kPrctl:
      return true;
    default:
      return false;
  }
}

bool ChangesMappings(const SyscallSignature& signature) {
  return signature.effect == SyscallEffect::kMap || signature.effect == SyscallEffect::kProtect ||
         signature.name == "munmap" || signature.name == "mremap";
}

/// May the tracer be refused the task's memory after such a call, should it lack CAP_SYS_PTRACE
/// (ptrace(2), "Ptrace access mode checking")?
bool MayTakeAccess(const SyscallInvocation& call, SyscallEffect effect) {
  return effect == SyscallEffect::kCredentials || effect == SyscallEffect::kUnshare ||
         effect == SyscallEffect::kSetNamespace ||
         (effect == SyscallEffect::kPrctl && (call.arguments[0] & kLow32) == PR_SET_DUMPABLE &&
          call.arguments[1] == 0);
}

/// From such a call on it may matter where calls are made: outside of a range they are SIGSYS,
/// which comes before filters and tracers (prctl(2), PR_SET_SYSCALL_USER_DISPATCH).
bool DispatchesByPlace(const SyscallInvocation& call, SyscallEffect effect) {
  constexpr std::uint64_t kSetUserDispatch = 59;  // since Linux 5.11
  return effect == SyscallEffect::kPrctl && (call.arguments[0] & kLow32) == kSetUserDispatch;
}

void ForgetCode(AddressSpace& space, std::uint64_t begin, std::uint64_t size) {
  if (begin != 0) {
    TrapOnce::ForgetCode(space, begin, begin + std::min(size, ~begin));
  }
}

}  // namespace

void PtraceSession::UseStubs(StubWindow window, std::uint64_t silent_stops_before) {
  may_touch_all_ = ReadTraceSurroundings().has_sys_ptrace;
  trap_once_ = std::make_unique<TrapOnce>(kernel_, window, silent_stops_before, [this] {
    observer_.OnLimitation("stale-stubs",
                           "what a process was to make without a stop could not be taken back: "
                           "such calls of it may have gone unseen");
  });
}

void PtraceSession::ShowOriginalPlace(pid_t id, Task& task) {
  if (const auto report = trap_once_->ShowOriginalPlace(id, *task.space)) {
    Tell(id, task, *report);
  }
}

void PtraceSession::LearnFrom(pid_t id, Task& task, std::uint64_t instruction_pointer) {
  const bool named = std::ranges::any_of(SignatureOf(task.call.call).roles, [](ArgumentRole role) {
    return role == ArgumentRole::kPath || role == ArgumentRole::kPathNoFollow;
  });
  if (!named || changers_ == 0) {
    trap_once_->Learn(id, *task.space, instruction_pointer, task.call, observer_.RepetitionOf(id));
  }
  DescribeDescriptors(id, task);
}

void PtraceSession::DescribeDescriptors(pid_t id, const Task& task) {
  if (TrapOnce::WantsDescriptors(*task.space)) {
    for (const auto& [fd, identity] : observer_.DescriptorsOf(id)) {
      trap_once_->Describe(id, *task.space, static_cast<std::uint64_t>(fd), identity);
    }
  }
}

void PtraceSession::Tell(pid_t id, Task& task, const TrapOnce::Report& report) {
  ++counts_.calls;
  task.call = report.invocation;
  TellOfDescriptors(id, task);
  const bool wanted = observer_.OnEntry(id, report.invocation) == ExitInterest::kWanted;
  EndSharingIfSeen(id);
  if (wanted && !task.exiting) {
    observer_.OnExit(id, report.result);
  }
  LearnFrom(id, task, report.instruction_pointer);
}

/// What the process did to its descriptors unseen.
void PtraceSession::TellOfDescriptors(pid_t id, const Task& task) {
  const SyscallSignature& signature = SignatureOf(task.call.call);
  for (std::size_t i = 0; i < signature.roles.size(); ++i) {
    const ArgumentRole role = signature.roles[i];
    if (role == ArgumentRole::kFd || role == ArgumentRole::kReadFd ||
        role == ArgumentRole::kWriteFd || role == ArgumentRole::kDirectoryFd) {
      const std::uint64_t fd = task.call.arguments[i] & kLow32;
      if (const auto identity = trap_once_->IdentityOf(id, *task.space, fd)) {
        observer_.OnDescriptor(id, static_cast<int>(fd), *identity);
      }
    }
  }
}

/// From now on the process does nothing to its descriptors unseen: what it did before is told.
void PtraceSession::TellOfAllDescriptors(pid_t id, const Task& task) {
  int fd = 0;
  for (const std::uint32_t identity : trap_once_->TakeIdentities(id, *task.space)) {
    observer_.OnDescriptor(id, fd++, identity);
  }
}

/// A call that unmaps memory, or maps over it, may take what the program does not know of.
void PtraceSession::MakeRoom(pid_t id, Task& task, std::uint32_t audit_arch) {
  const std::string_view name = SignatureOf(task.call.call).name;
  const auto& arguments = task.call.arguments;
  const bool takes =
      name == "munmap" || name == "mremap" || (name == "mmap" && (arguments[3] & MAP_FIXED) != 0);
  if (!takes || task.call.call.arch != Architecture::kX86_64) {
    return;
  }
  const auto make_room = [&](std::uint64_t begin, std::uint64_t size) {
    return trap_once_->MakeRoom(id, *task.space, begin, begin + std::min(size, ~begin));
  };
  TrapOnce::Overlap overlap = make_room(arguments[0], arguments[1]);
  if (name == "mremap" && overlap == TrapOnce::Overlap::kNone &&
      (arguments[3] & MREMAP_FIXED) != 0) {
    overlap = make_room(arguments[4], arguments[2]);
  }
  if (overlap == TrapOnce::Overlap::kLeft) {
    TellOfAllDescriptors(id, task);
  } else if (overlap == TrapOnce::Overlap::kInTheWay) {
    (void)kernel_.SkipCall(id, audit_arch, ENOMEM);
    observer_.OnLimitation("stubs-in-the-way",
                           "memory that a program of several threads wanted was refused it "
                           "(ENOMEM), as cordon's stubs lay there: --tier filtered has none");
  }
}

void PtraceSession::ForgetNames() {
  for (auto& [id, task] : tasks_) {
    if (task.space != nullptr) {
      trap_once_->ForgetNames(id, *task.space);
    }
  }
}

void PtraceSession::FinishChange(Task& task) {
  if (std::exchange(task.changes_names, false)) {
    --changers_;
    ForgetNames();
  }
}

void PtraceSession::BeforeCall(pid_t id, Task& task, std::uint32_t audit_arch) {
  const SyscallSignature& signature = SignatureOf(task.call.call);
  FinishChange(task);
  if (ChangesNames(signature.effect)) {
    task.changes_names = true;
    task.exit_needed = true;
    ++changers_;
    ForgetNames();
  }
  TellOfDescriptors(id, task);
  if (DispatchesByPlace(task.call, signature.effect)) {
    trap_once_->Close(id, *task.space);
  } else if (!may_touch_all_ && MayTakeAccess(task.call, signature.effect)) {
    trap_once_->Close(id, *task.space);
    TellOfAllDescriptors(id, task);
  }
  if (ChangesMappings(signature)) {
    MakeRoom(id, task, audit_arch);
    ForgetCode(*task.space, task.call.arguments[0], task.call.arguments[1]);
    // Where it lies only the result says.
    const std::uint64_t protection = task.call.arguments[2];
    task.exit_needed = task.exit_needed || signature.name == "mremap" ||
                       (signature.effect == SyscallEffect::kMap && (protection & PROT_EXEC) != 0);
  }
  const std::uint64_t first = task.call.arguments[0] & kLow32;
  switch (signature.effect) {
    case SyscallEffect::kClose:
      if (signature.name == "close_range") {
        trap_once_->ForgetDescriptors(id, *task.space, 0, kLow32);
      } else {
        trap_once_->ForgetDescriptors(id, *task.space, first, first);
      }
      break;
    case SyscallEffect::kDuplicate:
      if (signature.name != "dup") {
        const std::uint64_t second = task.call.arguments[1] & kLow32;
        trap_once_->ForgetDescriptors(id, *task.space, second, second);
      }
      task.exit_needed = true;
      break;
    case SyscallEffect::kExecute:
      task.hits_before_exec = task.space->tasks == 1 ? trap_once_->Hits(id, *task.space) : 0;
      break;
    case SyscallEffect::kUnshare:
    case SyscallEffect::kSetNamespace:
      // The thread may part with the others' descriptors and directories.
      task.space->closed = task.space->closed || task.space->tasks > 1;
      trap_once_->Forget(id, *task.space);
      break;
    default:
      break;
  }
}

void PtraceSession::AfterCall(pid_t id, Task& task, CallResult result) {
  const SyscallSignature& signature = SignatureOf(task.call.call);
  if (!result.ok()) {
    return;
  }
  const auto made = static_cast<std::uint64_t>(result.value);
  if (signature.result == ResultKind::kDescriptor) {
    trap_once_->ForgetDescriptors(id, *task.space, made, made);
  } else if (ChangesMappings(signature)) {
    ForgetCode(*task.space, made, task.call.arguments[1]);
  }
}

void PtraceSession::ShareSpace(pid_t parent, const Task& maker, pid_t child, Task& made,
                               std::uint64_t clone_flags) {
  if ((clone_flags & kCloneVm) == 0 && (clone_flags & kCloneThread) == 0) {
    made.space = trap_once_->Fork(child, *maker.space);
    if ((clone_flags & kCloneFiles) != 0) {
      // What one does to descriptors the other's memory does not tell.
      for (const auto& [id, space] :
           {std::pair(child, made.space), std::pair(parent, maker.space)}) {
        trap_once_->Close(id, *space);
      }
    }
    return;
  }
  made.space = maker.space;
  ++made.space->tasks;
  if ((clone_flags & kWholeView) != kWholeView) {
    made.stranger = true;
    ++made.space->strangers;
    trap_once_->Forget(child, *made.space);
  }
}

void PtraceSession::LeaveSpace(Task& task) {
  if (task.space == nullptr) {
    return;
  }
  if (--task.space->tasks == 0) {
    trap_once_->counts().hits += std::exchange(task.space->hits_at_end, 0);
    task.space->state = AddressSpace::State::kRefused;
  }
  if (std::exchange(task.stranger, false)) {
    --task.space->strangers;
  }
}

void PtraceSession::ForgetKnown() {
  for (auto& [id, task] : tasks_) {
    if (task.space != nullptr) {
      trap_once_->Forget(id, *task.space);
    }
  }
}

}  // namespace cordon
