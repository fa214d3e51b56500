#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "model/seccomp_policy.h"

namespace cordon {

/// One name of one rule that has no effect, because the rule `by` answers the call whatever its
/// arguments are.
struct SwallowedName {
  std::size_t rule = 0;  ///< in SeccompPolicy::rules
  std::string name;
  std::size_t by = 0;
};

/// Takes out of the rules of `policy` the names that have no effect under any container runtime,
/// and returns those that would have answered otherwise, in the order of the rules. Of several
/// unconditional rules for a call the first one counts, and it swallows the conditional ones
/// wherever they stand (libseccomp 2.5 src/db.c, db_rule_add); a rule that repeats the default
/// action is skipped before (runc, crun) and swallows nothing. A rule may be left without names.
std::vector<SwallowedName> RemoveSwallowedNames(SeccompPolicy& policy);

}  // namespace cordon
