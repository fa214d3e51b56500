#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "generator/selinux_rules.h"
#include "generator/selinux_target.h"

namespace cordon {

/// How far an allow rule on a type of the target reaches: what else carries that type.
struct TypeReach {
  std::string type;
  std::string object_class;
  std::set<std::string> permissions;
  std::size_t recorded = 0;          ///< paths or ports that the workload needs it for
  std::size_t file_contexts = 0;     ///< of the target that give the type to objects of this class
  std::size_t single_paths = 0;      ///< of those, how many name one path
  std::vector<std::string> such_as;  ///< a few of them that no recorded path matches by name
  std::uint32_t ports = 0;           ///< of this class's protocol that carry the type
};

/// Every allow rule of the module's domain on a type that is not the module's, the widest first.
/// Of types that only kernel file systems give (proc_t) there are no file contexts.
std::vector<TypeReach> ReachOf(const SelinuxRules& rules, const SelinuxTarget& target);

/// A row of policies/selinux/must_stay_denied.
struct ForbiddenAccess {
  std::string type;  ///< or "self"
  std::string object_class;
  std::string permission;
  std::string what;  ///< for people
};

/// The rows that `facts` have the names for.
std::vector<ForbiddenAccess> ForbiddenAccesses(const PolicyFacts& facts);

}  // namespace cordon
