#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "model/outcome.h"
#include "model/resource_limits.h"

namespace cordon {

/// A further command that `exec` started in a sandbox.
struct EnteredCommand {
  pid_t pid = 0;  ///< as the supervisor's pid namespace numbers it
  std::vector<std::string> command;
  bool operator==(const EnteredCommand&) const = default;
};

/// A running sandbox, as its supervisor knows it; or one that has ended, as it left word of itself.
struct SandboxState {
  std::string name;
  pid_t supervisor = 0;
  pid_t pid = 0;  ///< of the workload, as the supervisor's pid namespace numbers it; 0: not yet
  std::int64_t started_ms = 0;  ///< since 1970-01-01 UTC
  std::vector<std::string> command;
  std::string policy;  ///< the folder it came from; empty: none
  std::string root;
  std::string hostname;
  std::string network;        ///< "none", "host", "private"
  std::string address;        ///< of a private network; else empty
  std::string enforcement;    ///< "enforce", "audit"
  std::string status;         ///< "running", "paused", "ended"; "lost": its supervisor was killed
  std::string phase;          ///< "start", "serve"; empty where the policy has one phase
  std::string files_held_by;  ///< one sentence; empty without a policy
  std::string selinux_label;
  std::map<std::string, std::string> namespaces;  ///< "pid" -> "pid:[4026531836]", its own ones
  std::vector<std::string> cgroups;               ///< folders
  ResourceLimits limits;                          ///< that it is to be held to
  std::vector<std::string> mounts;                ///< "DESTINATION from SOURCE"
  std::uint64_t filter_instructions = 0;          ///< of the seccomp filter; 0: none
  std::uint64_t violations = 0;
  std::vector<EnteredCommand> entered;
  std::int64_t ended_ms = 0;       ///< since 1970-01-01 UTC; 0: not known to have ended
  std::optional<Outcome> outcome;  ///< of the workload, once it has ended
  bool operator==(const SandboxState&) const = default;
};

/// As JSON, indented; `cordon inspect` prints it.
std::string WriteSandboxState(const SandboxState& state);

/// Fails with kInvalidInput naming the place.
Expected<SandboxState> ReadSandboxState(std::string_view text, std::string_view source);

/// The member at `field` ("namespaces.pid", "cgroups.0") of WriteSandboxState() as text: a string
/// without quotes, anything else as JSON. Fails with kInvalidInput, naming what there is.
Expected<std::string> SandboxStateField(const SandboxState& state, std::string_view field);

}  // namespace cordon
