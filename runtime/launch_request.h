#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/sandbox_config.h"
#include "model/terminal_size.h"
#include "runtime/subordinate_ids.h"

namespace cordon {

/// Who holds the file part of a policy.
enum class FileHolder : std::uint8_t { kSelinux, kLandlock };

/// The parts of a policy, or of the isolation, that --allow-degraded may name.
enum class PolicyPart : std::uint8_t { kFiles, kSeccomp, kLimits, kIpc };

/// Whether violations are refused or only reported.
enum class Enforcement : std::uint8_t { kEnforce, kAudit };

/// Whether the filter's refusals come to the supervisor first.
enum class ViolationReports : std::uint8_t { kLive, kNone };

/// When the sandbox gets a user namespace: where the caller has no privilege, or always; whose ids
/// are one of the caller's or all of root's, or those of LaunchRequest::subordinate_ids.
enum class UserNamespaceUse : std::uint8_t { kWhenUnprivileged, kAlways, kSubordinateIds };

/// Where the limits of a kind come from: a limit that the user asked for must hold, one that the
/// policy proposes may be left out with a warning, what is no limit without a word.
enum class LimitOrigin : std::uint8_t { kNone, kProposed, kAsked };

/// What a limit that cannot be held does to a launch.
enum class LimitsHeld : std::uint8_t {
  kAll,           ///< one that was asked for fails it
  kWherePossible  ///< none does; each is a warning
};

struct LimitOrigins {
  LimitOrigin memory = LimitOrigin::kProposed;
  LimitOrigin cpu = LimitOrigin::kProposed;
  LimitOrigin cpuset = LimitOrigin::kProposed;
  LimitOrigin pids = LimitOrigin::kProposed;
  LimitOrigin io = LimitOrigin::kProposed;
  LimitOrigin devices = LimitOrigin::kProposed;
  LimitOrigin unified = LimitOrigin::kProposed;
};

/// Everything that a launch is asked to do; with HostFeatures it determines the LaunchPlan.
struct LaunchRequest {
  SandboxConfig
      config;  ///< with the command line's options already in it; arguments[0] is the command
  std::vector<Mount>
      volumes;  ///< beside config.mounts, which may be left out where the host has no such source
  std::vector<std::string> environment;  ///< "NAME=value"; wins over config.environment
  std::string working_directory;         ///< tried first when the root is the host's; empty:
                                         ///< config.working_directory
  std::optional<TerminalSize> terminal;  ///< of its own; nothing: the caller's streams
  bool has_policy = false;               ///< whether `config` came from a policy
  std::vector<sock_filter> filter;       ///< compiled; empty: no seccomp
  Enforcement enforcement = Enforcement::kEnforce;
  ViolationReports reports = ViolationReports::kLive;
  UserNamespaceUse user_namespace = UserNamespaceUse::kWhenUnprivileged;
  std::optional<SubordinateIds> subordinate_ids;  ///< with kSubordinateIds
  LimitOrigins limit_origins;
  std::string cgroup_parent;  ///< BelowParent(); empty: the caller's
  std::optional<FileHolder> required_holder;
  std::set<PolicyPart> degraded;  ///< parts that may go unheld
};

}  // namespace cordon
