#include "tracer/recording_log.h"

#include <utility>

namespace cordon {
namespace {

std::uint64_t HashKey(Syscall call) {
  return (static_cast<std::uint64_t>(call.arch) << 32U) | static_cast<std::uint32_t>(call.number);
}

}  // namespace

void RecordingLog::Tick() {
  const auto elapsed = std::chrono::steady_clock::now() - start_;
  now_ms_ = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count());
}

SyscallObservation& RecordingLog::Call(Syscall call) {
  SyscallObservation*& slot = calls_[HashKey(call)];
  if (slot == nullptr) {
    slot = &recording_.syscalls[call];
  }
  return *slot;
}

void RecordingLog::NoteFile(const FileKey& key, FileAccessSet access, const std::string& program) {
  FileObservation& file = recording_.files[key];
  file.access.Add(access);
  file.seen.Note(now_ms_, program, phase_);
}

void RecordingLog::NoteIoctl(const FileKey& key, std::uint32_t request,
                             const std::string& program) {
  FileObservation& file = recording_.files[key];
  file.access.Add(FileAccess::kIoctl);
  file.ioctls.insert(request);
  file.seen.Note(now_ms_, program, phase_);
}

void RecordingLog::NoteFailure(const FileKey& key, int sys_errno, const std::string& program) {
  FileObservation& file = recording_.files[key];
  ++file.failures[sys_errno];
  file.seen.Note(now_ms_, program, phase_);
}

void RecordingLog::NoteSocket(SocketKey key, int sys_errno, const std::string& program) {
  if (!key.address.empty() && !recording_.sockets.contains(key)) {
    SocketKey group = key;
    group.address.clear();
    group.port = 0;
    std::size_t& distinct = addresses_[group];
    if (distinct >= kMaxSocketAddresses) {
      key = std::move(group);
      key.address = "*";
    } else {
      ++distinct;
    }
  }
  SocketObservation& socket = recording_.sockets[key];
  ++socket.results[sys_errno];
  socket.seen.Note(now_ms_, program, phase_);
}

ProcessObservation& RecordingLog::NoteProcess(const ProcessKey& key) {
  ProcessObservation& process = recording_.processes[key];
  process.seen.Note(now_ms_, key.executable, phase_);
  return process;
}

void RecordingLog::NoteCapability(const std::string& name, const std::string& reason) {
  CapabilityUse& use = recording_.capabilities[name];
  constexpr std::size_t kMaxReasons = 64;
  if (use.reasons.size() < kMaxReasons) {
    use.reasons.insert(reason);
  }
  use.phases.Add(phase_);
}

void RecordingLog::NoteLimitation(const std::string& kind, const std::string& detail) {
  limitations_.insert({kind, detail});
}

Recording RecordingLog::Take() {
  calls_.clear();
  addresses_.clear();
  return std::exchange(recording_, {});
}

}  // namespace cordon
