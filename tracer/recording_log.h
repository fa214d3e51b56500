#pragma once

#include <chrono>
#include <map>
#include <string>
#include <unordered_map>

#include "model/recording.h"

namespace cordon {

/// Most distinct addresses that are kept of one kind of socket use; further ones are noted as "*",
/// so that a client of ephemeral ports does not make a recording grow.
inline constexpr std::size_t kMaxSocketAddresses = 256;

/// Takes down what the rules see, with provenance. The program is the canonical path of the
/// executable that did it.
class RecordingLog {
 public:
  RecordingLog() : start_(std::chrono::steady_clock::now()) {}

  /// Everything noted from now on happened now.
  void Tick();

  std::uint64_t now_ms() const { return now_ms_; }

  /// The observation of `call`, made when it is new. Stays valid for the life of the log.
  SyscallObservation& Call(Syscall call);

  void NoteFile(const FileKey& key, FileAccessSet access, const std::string& program);
  void NoteIoctl(const FileKey& key, std::uint32_t request, const std::string& program);
  /// A look-up or open of `key` failed.
  void NoteFailure(const FileKey& key, int sys_errno, const std::string& program);
  void NoteSocket(SocketKey key, int sys_errno, const std::string& program);
  /// A program was executed.
  ProcessObservation& NoteProcess(const ProcessKey& key);

  /// The same entry without another sighting.
  ProcessObservation& ProcessOf(const ProcessKey& key) { return recording_.processes[key]; }

  void NoteCapability(const std::string& name, const std::string& reason);
  void NoteLimitation(const std::string& kind, const std::string& detail);

  const Phase& phase() const { return phase_; }

  const std::set<Limitation>& limitations() const { return limitations_; }

  /// What was taken down, without runs and resources. The log is empty afterwards.
  Recording Take();

 private:
  std::chrono::steady_clock::time_point start_;
  std::uint64_t now_ms_ = 0;
  Phase phase_ = Phase::kStart;
  Recording recording_;
  std::unordered_map<std::uint64_t, SyscallObservation*> calls_;
  std::map<SocketKey, std::size_t> addresses_;  ///< distinct addresses per key without address
  std::set<Limitation> limitations_;
};

}  // namespace cordon
