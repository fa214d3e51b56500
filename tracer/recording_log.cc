#include "tracer/recording_log.h"

#include <algorithm>
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

void RecordingLog::BeginServing() {
  if (phase_ != Phase::kServe) {
    Tick();
    phase_ = Phase::kServe;
    serving_ms_ = now_ms_;
  }
}

SyscallObservation& RecordingLog::Call(Syscall call) {
  SyscallObservation*& slot = calls_[HashKey(call)];
  if (slot == nullptr) {
    slot = &recording_.syscalls[call];
    Discovered();
  }
  return *slot;
}

void RecordingLog::NoteFile(const FileKey& key, FileAccessSet access, const std::string& program) {
  FileObservation& file = recording_.files[key];
  const FileAccessSet before = file.access;
  file.access.Add(access);
  if (file.access != before || file.seen.count == 0) {
    Discovered();
  }
  file.seen.Note(now_ms_, program, phase_);
}

bool RecordingLog::Holds(const FileKey& key, FileAccessSet access,
                         const std::string& program) const {
  const auto found = recording_.files.find(key);
  if (found == recording_.files.end()) {
    return false;
  }
  FileAccessSet both = found->second.access;
  both.Add(access);
  return both == found->second.access && found->second.seen.executables.contains(program) &&
         found->second.seen.phases.Has(phase_);
}

void RecordingLog::NoteIoctl(const FileKey& key, std::uint32_t request,
                             const std::string& program) {
  FileObservation& file = recording_.files[key];
  file.access.Add(FileAccess::kIoctl);
  if (file.ioctls.insert(request).second) {
    Discovered();
  }
  file.seen.Note(now_ms_, program, phase_);
}

void RecordingLog::NoteFailure(const FileKey& key, int sys_errno, const std::string& program) {
  FileObservation& file = recording_.files[key];
  if (++file.failures[sys_errno] == 1) {
    Discovered();
  }
  file.seen.Note(now_ms_, program, phase_);
}

void RecordingLog::NoteSocket(SocketKey key, int sys_errno, const std::string& program) {
  if (!own_address_.empty() && key.address == own_address_) {
    return;
  }
  if (!key.address.empty() && !recording_.sockets.contains(key)) {
    SocketKey group = key;
    group.address.clear();
    group.port = 0;
    std::size_t& distinct = addresses_[group];
    if (distinct >= kMaxSocketAddresses) {
      key = std::move(group);
      key.address = "*";
      NoteLimitation("truncated",
                     "more addresses than a recording keeps of one kind of socket use: the further "
                     "ones are noted as *");
    } else {
      ++distinct;
    }
  }
  SocketObservation& socket = recording_.sockets[key];
  if (++socket.results[sys_errno] == 1) {
    Discovered();
  }
  socket.seen.Note(now_ms_, program, phase_);
}

ProcessObservation& RecordingLog::NoteProcess(const ProcessKey& key) {
  ProcessObservation& process = recording_.processes[key];
  if (process.seen.count == 0) {
    Discovered();
  }
  process.seen.Note(now_ms_, key.executable, phase_);
  return process;
}

void RecordingLog::NoteCapability(const std::string& name, const std::string& reason) {
  const auto [entry, fresh] = recording_.capabilities.try_emplace(name);
  CapabilityUse& use = entry->second;
  if (fresh) {
    Discovered();
  }
  constexpr std::size_t kMaxReasons = 64;
  if (use.reasons.size() < kMaxReasons) {
    use.reasons.insert(reason);
  }
  use.phases.Add(phase_);
}

void RecordingLog::NoteLimitation(const std::string& kind, const std::string& detail) {
  limitations_.insert({kind, detail});
}

bool RecordingLog::HasListener() const {
  return std::ranges::any_of(recording_.sockets, [](const auto& item) {
    return item.first.operation == SocketOperation::kListen && item.second.results.contains(0);
  });
}

Coverage RecordingLog::MeasureCoverage() const {
  Coverage coverage;
  for (const auto& [call, item] : recording_.syscalls) {
    coverage.calls += item.seen.count;
    if (item.overflow) {
      continue;  // which of its tuples came once is not known any more
    }
    if (item.tuples.empty()) {
      coverage.calls_once += item.seen.count == 1 ? 1 : 0;
    }
    for (const auto& [tuple, one] : item.tuples) {
      coverage.calls_once += one.count == 1 ? 1 : 0;
    }
  }
  for (const auto& [key, file] : recording_.files) {
    coverage.uses += file.seen.count;
    coverage.files_once += file.seen.count == 1 ? 1 : 0;
  }
  return coverage;
}

Recording RecordingLog::Take() {
  calls_.clear();
  addresses_.clear();
  return std::exchange(recording_, {});
}

}  // namespace cordon
