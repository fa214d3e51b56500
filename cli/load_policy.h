#pragma once

#include <linux/filter.h>

#include <string>
#include <vector>

#include "common/error.h"
#include "model/policy_bundle.h"

namespace cordon::cli {

/// Which of a policy's two filters a launch loads.
enum class FilterVariant : std::uint8_t { kNotifying, kPlain };

/// A bundle as `run` takes it.
struct LoadedPolicy {
  PolicyBundle bundle;
  std::vector<sock_filter> filter;
  std::string recompiled_because;  ///< why seccomp.bpf was not used; empty when it was
};

/// The bundle in `folder`. kInvalidInput naming folder and part for what is missing or malformed.
Expected<LoadedPolicy> LoadPolicy(const std::string& folder, FilterVariant variant);

}  // namespace cordon::cli
