#include "runtime/audit_recorder.h"

#include <ctime>
#include <string_view>
#include <utility>

#include "observe/host_facts.h"

namespace cordon {
namespace {

// A workload may name as much as it likes.
constexpr std::size_t kMostBytes = std::size_t{64} << 20;
constexpr std::size_t kItemBytes = 128;  // what a set or a map takes for one, about
constexpr std::size_t kMostAddresses = 256;

constexpr std::string_view kSilent =
    "an audit takes down only what was outside the policy, and not with what result; of what the "
    "policy of files admits, nothing is known";
constexpr std::string_view kUnheld =
    "looking at files, their attributes and directories is not compared with the policy, so what a "
    "SELinux module needs beyond the files that are here may be missing";

PhaseSet SetOf(Phase phase) {
  PhaseSet set;
  set.Add(phase);
  return set;
}

}  // namespace

AuditRecorder::AuditRecorder(std::vector<std::string> command, ServingWhen when, PhaseSet phases)
    : phases_(phases), watches_boundary_(when != ServingWhen::kNever) {
  run_.command = std::move(command);
  run_.host = ReadHostFacts();
  run_.started_unix_s = std::time(nullptr);
  run_.tier = "audit";
  run_.serving_when = Name(when);
  if (!watches_boundary_ && phases.Has(Phase::kServe)) {
    run_.serving_ms = 0;
  }
}

std::uint64_t AuditRecorder::Now() const {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::steady_clock::now() - start_)
                                        .count());
}

void AuditRecorder::BeginServing() {
  if (!run_.serving_ms) {
    run_.serving_ms = Now();
  }
}

bool AuditRecorder::HasRoom(std::size_t bytes) {
  full_ |= bytes > kMostBytes - bytes_;
  bytes_ += full_ ? 0 : bytes;
  return !full_;
}

template <typename Items>
typename Items::mapped_type* AuditRecorder::ItemOf(Items& items,
                                                   const typename Items::key_type& key,
                                                   std::size_t bytes) {
  const auto found = items.find(key);
  if (found != items.end()) {
    return &found->second;
  }
  return HasRoom(kItemBytes + bytes) ? &items[key] : nullptr;
}

void AuditRecorder::NoteIn(Seen& seen, std::uint64_t now, const std::string& executable,
                           PhaseSet phases) {
  const bool has_room = executable.empty() || seen.executables.contains(executable) ||
                        HasRoom(kItemBytes + executable.size());
  seen.Note(now, has_room ? executable : std::string(),
            phases.Has(Phase::kStart) ? Phase::kStart : Phase::kServe);
  if (phases.Has(Phase::kServe)) {
    seen.phases.Add(Phase::kServe);
  }
}

void AuditRecorder::Note(const Violation& violation) {
  const std::uint64_t now = Now();
  const PhaseSet phases = watches_boundary_ ? SetOf(violation.phase) : phases_;
  ++noted_;
  unreadable_ |= violation.unreadable;
  NoteCall(violation, now, phases);
  NoteSocket(violation, now, phases);
  NoteFiles(violation, now, phases);
  NotePrograms(violation, now, phases);
}

void AuditRecorder::NoteCall(const Violation& violation, std::uint64_t now, PhaseSet phases) {
  if (!violation.is_outside_seccomp()) {
    return;
  }
  if (SyscallObservation* const call =
          ItemOf(recording_.syscalls, violation.invocation.call, kMaxArgumentTuples * kItemBytes)) {
    NoteIn(call->seen, now, violation.executable, phases);
    call->AddTuple(violation.scalars, {1, {}, phases});
  }
}

void AuditRecorder::NoteSocket(const Violation& violation, std::uint64_t now, PhaseSet phases) {
  if (!violation.socket) {
    return;
  }
  SocketKey key = *violation.socket;
  if (!key.address.empty() && !recording_.sockets.contains(key)) {
    SocketKey kind = key;
    kind.address.clear();
    kind.port = 0;
    if (addresses_[kind] >= kMostAddresses) {
      key = std::move(kind);
      key.address = "*";
      many_addresses_ = true;
    } else {
      ++addresses_[kind];
    }
  }
  if (SocketObservation* const socket = ItemOf(recording_.sockets, key, key.address.size())) {
    NoteIn(socket->seen, now, violation.executable, phases);
  }
}

void AuditRecorder::NoteFiles(const Violation& violation, std::uint64_t now, PhaseSet phases) {
  // As the tracer has it, a program is read by itself.
  const std::string& executable =
      violation.programs.empty() ? violation.executable : violation.programs.front().executable;
  for (const FileUse& use : violation.files) {
    if (FileObservation* const file = ItemOf(recording_.files, use.key, use.key.path.size())) {
      NoteIn(file->seen, now, executable, phases);
      file->access.Add(use.access);
      for (const std::uint32_t request : use.ioctls) {
        if (file->ioctls.contains(request) || HasRoom(kItemBytes)) {
          file->ioctls.insert(request);
        }
      }
    }
  }
}

void AuditRecorder::NotePrograms(const Violation& violation, std::uint64_t now, PhaseSet phases) {
  for (const ProgramUse& program : violation.programs) {
    const ProcessKey key{program.executable, violation.executable};
    ProcessObservation* const process =
        ItemOf(recording_.processes, key, key.executable.size() + key.parent.size());
    if (process == nullptr) {
      continue;
    }
    NoteIn(process->seen, now, program.executable, phases);
    for (const std::string& interpreter : program.interpreters) {
      if (process->interpreters.contains(interpreter) || HasRoom(kItemBytes + interpreter.size())) {
        process->interpreters.insert(interpreter);
      }
    }
  }
}

Recording AuditRecorder::Finish(const Outcome& outcome) {
  run_.duration_ms = Now();
  run_.outcome = outcome;
  run_.limitations.insert({"audit", std::string(kSilent)});
  run_.limitations.insert({"audit-of-files", std::string(kUnheld)});
  if (unreadable_) {
    run_.limitations.insert({"unreadable-path", "a path that a call named could not be resolved"});
  }
  if (full_) {
    run_.limitations.insert({"truncated", "there was no room for the names of all that was done"});
  }
  if (many_addresses_) {
    run_.limitations.insert({"truncated",
                             "more addresses than a recording keeps of one kind of socket use: the "
                             "further ones are noted as *"});
  }
  if (watches_boundary_ && !run_.serving_ms) {
    run_.limitations.insert(
        {"no-serving-boundary", "the boundary never came, so everything is of the start phase"});
  }
  recording_.runs[NewRunId()] = run_;
  return std::move(recording_);
}

}  // namespace cordon
