#pragma once

#include <chrono>
#include <map>
#include <string>
#include <unordered_map>

#include "model/recording.h"
#include "tracer/discovery_curve.h"

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

  /// Something was seen for the first time.
  void Discovered() { curve_.Add(now_ms_); }

  const DiscoveryCurve& curve() const { return curve_; }

  std::size_t syscall_count() const { return recording_.syscalls.size(); }

  /// How often something was done with the file.
  std::uint64_t SightingsOf(const FileKey& key) const {
    const auto found = recording_.files.find(key);
    return found == recording_.files.end() ? 0 : found->second.seen.count;
  }

  /// Is it in the log that `program` did this to the file, in this phase?
  bool Holds(const FileKey& key, FileAccessSet access, const std::string& program) const;

  std::size_t file_count() const { return recording_.files.size(); }

  /// Of what is in the log now.
  Coverage MeasureCoverage() const;

  void NoteCapability(const std::string& name, const std::string& reason);
  void NoteLimitation(const std::string& kind, const std::string& detail);

  const Phase& phase() const { return phase_; }

  /// Everything noted from now on is of phase kServe.
  void BeginServing();

  /// When it began; nothing when it did not.
  std::optional<std::uint64_t> serving_ms() const { return serving_ms_; }

  /// An AF_UNIX address that is cordon's own and not to be in the recording.
  void LeaveOut(std::string address) { own_address_ = std::move(address); }

  const std::set<Limitation>& limitations() const { return limitations_; }

  /// Did a socket begin to listen?
  bool HasListener() const;

  /// What was taken down, without runs and resources. The log is empty afterwards.
  Recording Take();

 private:
  std::chrono::steady_clock::time_point start_;
  std::uint64_t now_ms_ = 0;
  Phase phase_ = Phase::kStart;
  std::optional<std::uint64_t> serving_ms_;
  std::string own_address_;
  Recording recording_;
  DiscoveryCurve curve_;
  std::unordered_map<std::uint64_t, SyscallObservation*> calls_;
  std::map<SocketKey, std::size_t> addresses_;  ///< distinct addresses per key without address
  std::set<Limitation> limitations_;
};

}  // namespace cordon
