#include <chrono>

#include "tracer/ptrace_session.h"

// What the session does so that cordon and a task that stops often share a processor.

namespace cordon {

using Clock = std::chrono::steady_clock;

void PtraceSession::ReviewProcessors() {
  if (sharing_ == nullptr) {
    return;
  }
  const Clock::time_point now = Clock::now();
  for (auto& [id, task] : tasks_) {
    // What is being made inherits where its maker runs now.
    if (task.clone == 0 && ProcessorSharing::IsLong(task.placement, now)) {
      sharing_->Part(id, task.placement);
    }
  }
  sharing_->Rest();
}

void PtraceSession::NoteStopped(pid_t id, Task& task) {
  if (sharing_ != nullptr) {
    sharing_->NoteStop(id, task.placement, Clock::now());
  }
}

void PtraceSession::NoteResumed(Task& task) {
  if (sharing_ != nullptr) {
    ProcessorSharing::NoteResume(task.placement, Clock::now());
  }
}

void PtraceSession::PartBefore(pid_t id, Task& task, const SyscallSignature& signature) {
  if (sharing_ == nullptr) {
    return;
  }
  const ProcessorSharing::Need need = sharing_->NeedOf(signature);
  if (need == ProcessorSharing::Need::kOwn) {
    sharing_->Part(id, task.placement);
  } else if (need == ProcessorSharing::Need::kAll) {
    PartAll();
  }
}

void PtraceSession::PartAll() {
  for (auto& [id, task] : tasks_) {
    sharing_->Part(id, task.placement);
  }
}

void PtraceSession::EndSharingIfSeen(pid_t id) {
  if (sharing_ != nullptr && observer_.OpensProcessStatus(id)) {
    PartAll();
    sharing_->End();
  }
}

}  // namespace cordon
