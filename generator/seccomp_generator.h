#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "generator/syscall_data.h"
#include "model/recording.h"
#include "model/seccomp_policy.h"

namespace cordon {

/// Which container runtime will load the filter: its base set (policies/base_sets.json) is added;
/// for kAny those of all, so that the policy starts containers wherever it is taken to.
enum class ContainerRuntime : std::uint8_t { kCordon, kRunc, kCrun, kNone, kAny };

/// What a call of the EPERM class gets.
enum class OnViolation : std::uint8_t { kErrno, kLog, kKill, kNotify };

/// Whether calls equivalent to observed ones are added so that the policy survives another libc.
enum class Portability : std::uint8_t { kPortable, kExact };

/// What the policy is for: a workload from its launch on, or one that serves already, which nobody
/// has to start any more.
enum class WorkloadPart : std::uint8_t { kWhole, kServing };

/// Where it is to be seen that the workload has threads: they go on when the calls that made them
/// are of a part that the recording does not have.
enum class Threads : std::uint8_t { kAsRecorded, kMadeBefore };

struct SeccompOptions {
  ContainerRuntime runtime = ContainerRuntime::kAny;
  /// Only what this release of the runtime makes; nothing: what any known one does.
  std::optional<RuntimeVersion> version = {};
  NoNewPrivileges no_new_privileges = NoNewPrivileges::kEither;
  /// In place of the runtime's set in policies/base_sets.json: what `cordon calibrate` measured.
  /// Empty: nothing.
  std::vector<RuntimeCalls> measured = {};
  OnViolation on_violation = OnViolation::kErrno;
  Portability portability = Portability::kPortable;
  WorkloadPart part = WorkloadPart::kWhole;
  Threads threads = Threads::kAsRecorded;
};

/// A policy and, for every rule (by index), why it is there: one line per reason, each with its
/// evidence.
struct GeneratedSeccomp {
  SeccompPolicy policy;
  std::map<std::size_t, std::vector<std::string>> reasons;
  /// Recorded calls that the policy does not allow because they always failed with the errno that
  /// it gives ("clone3: always ENOSYS").
  std::vector<std::string> left_out;
  /// Allowed calls whose dangerous uses the policy cannot tell apart, each with the reason.
  std::vector<std::string> unrestricted;
};

/// The seccomp policy for what `recording` saw: observed -> ALLOW, known and refused -> EPERM,
/// everything else -> ENOSYS, written out so that runc, crun, Podman and Docker 20.10 (which drops
/// defaultErrnoRet) answer alike. Deterministic.
Expected<GeneratedSeccomp> GenerateSeccomp(const Recording& recording,
                                           const SeccompOptions& options);

}  // namespace cordon
