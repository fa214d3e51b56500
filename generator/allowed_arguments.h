#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "generator/argument_rules.h"
#include "model/recording.h"

namespace cordon {

/// What a call may be made with.
struct AllowedArguments {
  std::set<WatchedBlocks> blocks;
  std::vector<std::string> reasons;  ///< one line for each block, or for what makes blocks
  std::string generalised;           ///< what is allowed beyond what was seen, and why; or nothing
};

/// Adds `values`, one per watched argument, unless a block has them already. `reason` goes on from
/// what they are called: "was seen".
void AddArgument(const WatchedCall& call, const WatchedValues& values, std::string_view reason,
                 AllowedArguments& allowed);

/// Adds blocks around the values of a call of which only the ranges are left, one per recorded
/// scalar (SyscallObservation::overflow): CoveringBlocks() of a single argument, CommonBits() of
/// each of several.
void AddCovering(const WatchedCall& call, const std::vector<ScalarRange>& ranges,
                 AllowedArguments& allowed);

/// Adds ArgumentFamilies() of what is in `allowed`.
void AddArgumentFamilies(const WatchedCall& call, AllowedArguments& allowed);

}  // namespace cordon
