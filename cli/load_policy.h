#pragma once

#include <linux/filter.h>

#include <map>
#include <string>
#include <vector>

#include "common/error.h"
#include "model/policy_bundle.h"

namespace cordon::cli {

/// Which of a policy's filters a launch loads: what notifies of refusals, what refuses by itself,
/// or what notifies of all that the serving phase may not do.
enum class FilterVariant : std::uint8_t { kNotifying, kPlain, kTwoPhases };

/// Whether the filter is to ask about what an audit compares, too (AuditedCalls()).
enum class FilterUse : std::uint8_t { kEnforce, kAudit };

/// A bundle as `run` takes it.
struct LoadedPolicy {
  PolicyBundle bundle;
  std::vector<sock_filter> filter;
  std::string recompiled_because;  ///< why the compiled filter was not used; empty when it was
};

/// The bundle in `folder`. kInvalidInput naming folder and part for what is missing or malformed,
/// and for two phases of a bundle that has one.
Expected<LoadedPolicy> LoadPolicy(const std::string& folder, FilterVariant variant,
                                  FilterUse use = FilterUse::kEnforce);

/// The same of the files of a folder (name -> content), which `folder` names.
Expected<LoadedPolicy> LoadPolicyFiles(const std::map<std::string, std::string>& files,
                                       const std::string& folder, FilterVariant variant,
                                       FilterUse use = FilterUse::kEnforce);

}  // namespace cordon::cli
