#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/host_facts.h"

namespace cordon::cli {

enum class FindingState : std::uint8_t {
  kPresent,
  kLimited,  ///< some of what cordon can do does not work here
  kMissing
};

/// What is lost where something is missing.
enum class FindingWeight : std::uint8_t {
  kEssential,  ///< a policy cannot be learned, or not be enforced
  kOptional    ///< an option of `run`
};

struct Finding {
  std::string name;  ///< "seccomp"
  FindingState state = FindingState::kPresent;
  FindingWeight weight = FindingWeight::kOptional;
  std::string what;    ///< what there is
  std::string advice;  ///< what to do; empty where all is well
};

/// What a host with `facts` offers to its user, in a fixed order. Pure.
std::vector<Finding> DiagnoseHost(const HostFacts& facts);

/// Whether nothing essential is missing: `cordon run` can hold every part of a policy.
bool CanEnforce(const std::vector<Finding>& findings);

/// One entry for each, in lines of at most 80 columns.
std::string ReportText(const std::vector<Finding>& findings);

/// {"can_enforce": true, "items": [{"name", "state", "essential", "what", "advice"}]}
std::string ReportJson(const std::vector<Finding>& findings);

}  // namespace cordon::cli
