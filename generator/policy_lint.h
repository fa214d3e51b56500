#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "model/seccomp_policy_json.h"

namespace cordon {

/// How bad a finding is: an error breaks programs or opens what is meant to be closed.
enum class LintSeverity : std::uint8_t { kError, kWarning, kNote };

/// "error", "warning", "note".
std::string_view Name(LintSeverity severity);

struct LintFinding {
  LintSeverity severity = LintSeverity::kNote;
  std::string_view id;  ///< "dangerous-open", …; docs/policies.md lists them
  std::string place;    ///< JSON pointer; empty: the whole policy
  std::string text;     ///< one sentence with its reason
};

/// What is dangerous, over-wide or does not work in `profile`, errors first. Every finding is
/// decided for all arguments, and holds. Fails with kLimit like FindDifferences().
Expected<std::vector<LintFinding>> LintPolicy(const ResolvedProfile& profile);

}  // namespace cordon
