#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"

namespace cordon {

/// Why the rules of a bundle's seccomp.json are there: the JSON pointer of the rule ("/syscalls/3")
/// -> one line per reason. Those of a single call of the rule begin with its name and a colon.
using PolicyReasons = std::map<std::string, std::vector<std::string>>;

/// Reads why.json of a bundle. Fails with kInvalidInput naming `source` and the JSON pointer.
Expected<PolicyReasons> ReadPolicyReasons(std::string_view text, std::string_view source);

/// Of the `reasons` of a rule that names `names` those that are about `name`: its own, and those
/// that are of no single call.
std::vector<std::string> ReasonsFor(std::string_view name, const std::vector<std::string>& names,
                                    const std::vector<std::string>& reasons);

}  // namespace cordon
