#include "model/swallowed_rules.h"

#include <map>
#include <utility>

namespace cordon {

std::vector<SwallowedName> RemoveSwallowedNames(SeccompPolicy& policy) {
  std::map<std::string, std::size_t> unconditional;
  for (std::size_t i = 0; i < policy.rules.size(); ++i) {
    const SeccompRule& rule = policy.rules[i];
    if (rule.conditions.empty() && rule.action != policy.default_action) {
      for (const std::string& name : rule.names) {
        unconditional.emplace(name, i);
      }
    }
  }
  std::vector<SwallowedName> swallowed;
  for (std::size_t i = 0; i < policy.rules.size(); ++i) {
    SeccompRule& rule = policy.rules[i];
    if (rule.action == policy.default_action) {
      continue;
    }
    std::vector<std::string> effective;
    for (std::string& name : rule.names) {
      const auto by = unconditional.find(name);
      if (by == unconditional.end() || by->second == i) {
        effective.push_back(std::move(name));
      } else if (policy.rules[by->second].action != rule.action) {
        swallowed.push_back({i, std::move(name), by->second});
      }
    }
    rule.names = std::move(effective);
  }
  return swallowed;
}

}  // namespace cordon
