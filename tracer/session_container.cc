#include <utility>

#include "model/syscall_signature.h"
#include "tracer/ptrace_session.h"

/// The part of PtraceSession that is about processes which a container runtime makes.
namespace cordon {

void PtraceSession::BeginAtExec(pid_t task) {
  approaching_.insert(task);
  if (tier_ == TraceTier::kExact) {
    (void)kernel_.Interrupt(task);  // its calls stop once it was resumed so
  }
}

void PtraceSession::Hold(HeldProfile profile) {
  profile_ = std::move(profile);
  own_filters_ = 2;
}

/// Is this the stop in which the task executes its program?
bool PtraceSession::IsAtExec(pid_t id, const StopEvent& event) {
  if (!std::holds_alternative<SeccompStop>(event) && !std::holds_alternative<SyscallStop>(event)) {
    return false;
  }
  const Expected<CallStop> stop = kernel_.ReadCall(id);
  return stop.has_value() && stop->stage != CallStage::kExit && stop->stage != CallStage::kNone &&
         ArchitectureFromAudit(stop->audit_arch, stop->number) == NativeArchitecture() &&
         SignatureOf({NativeArchitecture(), static_cast<std::int32_t>(stop->number)}).effect ==
             SyscallEffect::kExecute;
}

void PtraceSession::Approach(pid_t id, const StopEvent& event) {
  if (std::holds_alternative<TaskEnd>(event)) {
    approaching_.erase(id);
    return;
  }
  if (IsAtExec(id, event)) {
    approaching_.erase(id);
    Task& task = tasks_[id];
    task.tier = tier_;
    task.process = id;
    if (trap_once_ != nullptr) {
      task.space = std::make_shared<AddressSpace>();
    }
    ++counts_.tasks;
    observer_.OnBegin(id);
    Handle(id, event);
    return;
  }
  const auto* const signal = std::get_if<SignalStop>(&event);
  const ResumeMode mode =
      std::holds_alternative<GroupStop>(event)
          ? ResumeMode::kListen
          : (tier_ == TraceTier::kExact ? ResumeMode::kSyscall : ResumeMode::kRun);
  (void)kernel_.Resume(id, mode, signal != nullptr ? signal->signal : 0);
}

}  // namespace cordon
