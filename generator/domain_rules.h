#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "model/selinux_policy.h"

namespace cordon {

/// What a compiled policy has for one domain besides allow rules, which are for libsepol to answer.
struct DomainRules {
  std::set<std::string> attributes;  ///< that the domain is in
  /// What the domain's new objects are called.
  std::map<TransitionKey, TransitionRule> transitions;
  /// By the object's type, "self" for the domain itself. Ranges are written out.
  std::map<AccessVectorKey, IoctlRule> allow_ioctl;
};

/// Reads them from `cil` as PolicyAsCil() writes it. Rules under booleans are left out: which of
/// them holds is for the host.
DomainRules ReadDomainRules(std::string_view cil, const std::string& domain);

}  // namespace cordon
