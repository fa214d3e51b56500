#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/error.h"
#include "model/seccomp_policy.h"

namespace cordon {

/// A call, or some uses of it, that widen what an attacker reaches.
struct DangerousCall {
  std::string name;
  std::optional<ArgumentCondition> condition;  ///< nothing: whatever the arguments
  std::set<Architecture> architectures;        ///< where this entry is meant
};

/// A well-known danger: the calls that open it, any one of them.
struct DangerousGroup {
  std::string group;   ///< "terminal-injection"
  std::string reason;  ///< one line
  std::vector<DangerousCall> calls;
};

/// policies/dangerous_calls.json. Fails with kInternal when it is not what it should be.
Expected<std::vector<DangerousGroup>> LoadDangerousGroups();

/// The calls of `group` that `policy` admits (ALLOW, LOG) with some of the dangerous arguments,
/// each with an example. Exact. Fails with kLimit like FindDifferences().
Expected<std::vector<SyscallInvocation>> FindOpenCalls(const SeccompPolicy& policy,
                                                       const DangerousGroup& group);

}  // namespace cordon
