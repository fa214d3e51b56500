#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "generator/argument_rules.h"

/// Arguments that belong together as the members of policies/syscall_families.json do: a portable
/// policy that allows one of them allows all.
namespace cordon {

struct ArgumentFamily {
  std::string_view call;              ///< one of WatchedCalls()
  std::vector<WatchedValues> seen;    ///< any one of them brings
  std::vector<WatchedValues> values;  ///< all of these
  std::string_view reason;            ///< one line: who makes them, and where that is known from
};

std::span<const ArgumentFamily> ArgumentFamilies();

}  // namespace cordon
