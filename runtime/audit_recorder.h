#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/outcome.h"
#include "model/recording.h"
#include "model/serving_when.h"
#include "runtime/violation.h"

namespace cordon {

/// Takes down what an audited workload does outside its policy as a recording, to be merged with
/// the one that the policy is from. Bounded: what comes after 64 MiB of names, or after 256
/// addresses of one kind of socket use, is left out (a limitation says so) or noted as "*".
class AuditRecorder {
 public:
  /// `phases`: of what is seen while no boundary is watched for.
  AuditRecorder(std::vector<std::string> command, ServingWhen when, PhaseSet phases);

  /// A violation of an audit (CallAuditor).
  void Note(const Violation& violation);
  /// The boundary has come.
  void BeginServing();

  bool empty() const { return noted_ == 0; }

  std::size_t call_count() const { return recording_.syscalls.size(); }

  std::size_t file_count() const { return recording_.files.size(); }

  /// One run, of tier "audit", with its limitations.
  Recording Finish(const Outcome& outcome);

 private:
  void NoteCall(const Violation& violation, std::uint64_t now, PhaseSet phases);
  void NoteSocket(const Violation& violation, std::uint64_t now, PhaseSet phases);
  void NoteFiles(const Violation& violation, std::uint64_t now, PhaseSet phases);
  void NotePrograms(const Violation& violation, std::uint64_t now, PhaseSet phases);
  std::uint64_t Now() const;

  /// The item of `items` at `key`, new or not; nothing when there is no room for a new one, whose
  /// name takes `bytes`.
  template <typename Items>
  typename Items::mapped_type* ItemOf(Items& items, const typename Items::key_type& key,
                                      std::size_t bytes);
  void NoteIn(Seen& seen, std::uint64_t now, const std::string& executable, PhaseSet phases);
  bool HasRoom(std::size_t bytes);

  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  Run run_;
  PhaseSet phases_;
  bool watches_boundary_;
  std::uint64_t noted_ = 0;
  bool unreadable_ = false;
  std::size_t bytes_ = 0;
  bool full_ = false;
  std::map<SocketKey, std::size_t> addresses_;  ///< distinct ones by kind of use
  bool many_addresses_ = false;
  Recording recording_;
};

}  // namespace cordon
