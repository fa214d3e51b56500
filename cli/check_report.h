#pragma once

#include <optional>
#include <string>
#include <vector>

#include "generator/selinux_replay.h"
#include "model/policy_check.h"

namespace cordon::cli {

/// One recording replayed against one policy: its seccomp part, its SELinux part, or both.
struct CheckedRecording {
  std::string policy;     ///< as the user named it
  std::string recording;  ///< as the user named it
  std::optional<PolicyCheck> calls;
  std::optional<SelinuxReplay> accesses;

  bool Holds() const;
};

/// For people: one line for each recording and part, and one for each call and each SELinux rule
/// that is missing.
std::string CheckAsText(const std::vector<CheckedRecording>& checked);

/// {"holds": …, "recordings": [{"policy", "recording", "calls", "unheld": [{"arch", "nr", "name",
/// "arguments", "results", "answer", "executables"}], "selinux": {"domain", "asked", "denied":
/// [{"place", "type", "class", "permissions", "requests", "reason", "missing_rule", "count",
/// "executables"}], "unknown", "blind_spots"}}]}; "calls" and "unheld" with a seccomp part,
/// "selinux" with a SELinux part
std::string CheckAsJson(const std::vector<CheckedRecording>& checked);

/// SARIF 2.1.0 (OASIS), one result for each call that does not hold and each access that is denied,
/// at the policy.
std::string CheckAsSarif(const std::vector<CheckedRecording>& checked);

/// JUnit's XML as CI servers read it: one suite for each recording, one failed case for each call
/// that does not hold and each access that is denied, and one case for all that do.
std::string CheckAsJunit(const std::vector<CheckedRecording>& checked);

}  // namespace cordon::cli
