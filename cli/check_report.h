#pragma once

#include <string>
#include <vector>

#include "model/policy_check.h"

namespace cordon::cli {

/// One recording replayed against one policy.
struct CheckedRecording {
  std::string policy;     ///< as the user named it
  std::string recording;  ///< as the user named it
  PolicyCheck check;
};

/// For people: one line for each recording, and one for each call that does not hold.
std::string CheckAsText(const std::vector<CheckedRecording>& checked);

/// {"holds": …, "recordings": [{"policy", "recording", "calls", "unheld": [{"arch", "nr", "name",
/// "arguments", "results", "answer", "executables"}]}]}
std::string CheckAsJson(const std::vector<CheckedRecording>& checked);

/// SARIF 2.1.0 (OASIS), one result for each call that does not hold, at the policy.
std::string CheckAsSarif(const std::vector<CheckedRecording>& checked);

/// JUnit's XML as CI servers read it: one suite for each recording, one failed case for each call
/// that does not hold, and one case for all that do.
std::string CheckAsJunit(const std::vector<CheckedRecording>& checked);

}  // namespace cordon::cli
