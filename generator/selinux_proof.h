#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/error.h"
#include "generator/recorded_questions.h"
#include "generator/selinux_check.h"
#include "generator/selinux_reach.h"
#include "generator/selinux_rules.h"
#include "generator/selinux_target.h"

namespace cordon {

/// What asking the compiled policy gave.
struct SelinuxProof {
  std::size_t asked = 0;  ///< recorded (object, permission) pairs, ioctl requests each counted
  std::vector<DeniedAccess> denied;  ///< empty: the module holds
  std::vector<std::string> launchable_from;
  /// Of ForbiddenAccesses(): what is refused, what the recording made a rule for, and what the
  /// target gives to every domain.
  std::set<std::string> withheld;
  std::set<std::string> wanted;
  std::set<std::string> surplus;
  std::vector<TypeReach> reach;
  /// Of a container, where the target's constraints are known: it may use files of its own
  /// categories, and is refused those of another container's.
  std::optional<bool> kept_apart;
};

/// Asks `compiled` for each recorded access. The type of each path is looked up anew in the
/// compiled file contexts and the module's transitions: so a file context that loses to one of the
/// target shows.
Expected<SelinuxProof> ProveSelinux(const SelinuxRules& rules, const SelinuxTarget& target,
                                    const CompiledSelinux& compiled);

/// `proof` as the JSON object that goes into the bundle.
std::string WriteSelinuxProof(const SelinuxProof& proof, const SelinuxRules& rules,
                              const SelinuxTarget& target, const std::string& workload);

/// What a person should know of `proof`, one line each: how much is allowed, what should have
/// stayed denied and is not, and the types that reach furthest.
std::vector<std::string> SummarizeSelinuxProof(const SelinuxProof& proof, const SelinuxRules& rules,
                                               const SelinuxTarget& target);

}  // namespace cordon
