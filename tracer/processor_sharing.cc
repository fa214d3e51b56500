#include "tracer/processor_sharing.h"

#include <linux/capability.h>
#include <unistd.h>

#include "observe/process_status.h"

namespace cordon {
namespace {

constexpr pid_t kSelf = 0;

cpu_set_t Only(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(processor), &set);
  return set;
}

bool Holds(const cpu_set_t& set, int processor) {
  return CPU_ISSET(static_cast<std::size_t>(processor), &set);
}

}  // namespace

ProcessorSharing::ProcessorSharing(TraceKernel& kernel) : kernel_(kernel) {
  // sched_setaffinity(2) of another user's task takes CAP_SYS_NICE; execve(2) of a traced program
  // changes the user only for a tracer with CAP_SYS_PTRACE.
  const Expected<ProcessStatus> self = ReadProcessStatus(::getpid());
  const auto has = [&](int capability) {
    return self.has_value() && self->credentials.HasCapability(capability);
  };
  loses_at_credentials_ = !has(CAP_SYS_NICE);
  loses_at_exec_ = loses_at_credentials_ && has(CAP_SYS_PTRACE);
}

ProcessorSharing::~ProcessorSharing() {
  members_ = 0;
  Rest();
}

/// Binds cordon to the processor that it runs on. False: that cannot be done.
bool ProcessorSharing::Settle() {
  if (own_) {
    return true;
  }
  const Expected<cpu_set_t> own = kernel_.ReadProcessors(kSelf);
  const int here = kernel_.CurrentProcessor();
  // With one processor there is nothing to choose.
  if (!own.has_value() || CPU_COUNT(&*own) < 2 || here < 0 || here >= CPU_SETSIZE ||
      !kernel_.SetProcessors(kSelf, Only(here)).has_value()) {
    return false;
  }
  own_ = *own;
  processor_ = here;
  return true;
}

void ProcessorSharing::Rest() {
  if (members_ == 0 && own_) {
    (void)kernel_.SetProcessors(kSelf, *own_);
    own_.reset();
  }
}

void ProcessorSharing::NoteStop(pid_t id, TaskPlacement& placement, TimePoint now) {
  if (placement.resumed == TimePoint()) {
    return;
  }
  const auto ran = now - placement.resumed;
  const bool beside_others = last_stopped_ != id && last_stop_ > placement.resumed;
  placement.resumed = {};
  if (placement.own) {
    last_stopped_ = id;
    last_stop_ = now;
  }
  if (ran >= kQuick) {
    placement.quick_stops = 0;
    if (ran > kLong || beside_others) {
      placement.crowded = placement.crowded || (placement.own && beside_others);
      Part(id, placement);
    }
    return;
  }
  const unsigned enough = placement.crowded ? kQuickStopsWhenCrowded : kQuickStops;
  if (!placement.own && ++placement.quick_stops >= enough) {
    Share(id, placement);
  }
}

void ProcessorSharing::Share(pid_t id, TaskPlacement& placement) {
  placement.quick_stops = 0;
  if (ended_ || placement.refused) {
    return;
  }
  placement.refused = true;
  if (!Settle()) {
    return;
  }
  const Expected<cpu_set_t> own = kernel_.ReadProcessors(id);
  if (!own.has_value() || CPU_COUNT(&*own) < 2 || !Holds(*own, processor_) ||
      !kernel_.SetProcessors(id, Only(processor_)).has_value()) {
    return;
  }
  placement.refused = false;
  placement.own = *own;
  ++members_;
  ++arrivals_;
}

void ProcessorSharing::Part(pid_t id, TaskPlacement& placement) {
  placement.quick_stops = 0;
  if (!placement.own) {
    return;
  }
  // What somebody else chose meanwhile stays.
  const Expected<cpu_set_t> now = kernel_.ReadProcessors(id);
  const cpu_set_t shared = Only(processor_);
  if (now.has_value() && CPU_EQUAL(&*now, &shared)) {
    (void)kernel_.SetProcessors(id, *placement.own);
  }
  NoteEnd(placement);
}

void ProcessorSharing::NoteEnd(TaskPlacement& placement) {
  if (placement.own) {
    placement.own.reset();
    --members_;
  }
}

void ProcessorSharing::NoteMade(pid_t child, const TaskPlacement& maker, TaskPlacement& made) {
  made = {};
  made.refused = maker.refused;
  if (maker.own) {
    made.own = maker.own;
    ++members_;
  } else if (arrivals_ != 0) {
    Free(child);  // the maker may have been let go in the middle of making it
  }
}

void ProcessorSharing::Free(pid_t child) {
  if (!own_) {
    return;
  }
  const Expected<cpu_set_t> now = kernel_.ReadProcessors(child);
  const cpu_set_t shared = Only(processor_);
  if (now.has_value() && CPU_EQUAL(&*now, &shared)) {
    (void)kernel_.SetProcessors(child, *own_);
  }
}

ProcessorSharing::Need ProcessorSharing::NeedOf(const SyscallSignature& signature) const {
  if (signature.name == "sched_getaffinity" || signature.name == "sched_setaffinity") {
    return Need::kAll;
  }
  const bool leaves = (signature.effect == SyscallEffect::kCredentials && loses_at_credentials_) ||
                      (signature.effect == SyscallEffect::kExecute && loses_at_exec_);
  return leaves ? Need::kOwn : Need::kNothing;
}

}  // namespace cordon
