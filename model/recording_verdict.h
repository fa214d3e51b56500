#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "model/recording.h"

/// How far a recording can be relied on: what is known to be missing from it, and how likely more
/// of the same work is to show something new.
namespace cordon {

enum class Completeness : std::uint8_t {
  kComplete,  ///< nothing is known to be missing
  kExcept,    ///< all but what its limitations name, and what ended runs would have done
  kPartial,   ///< whole tasks or times may be missing
};

/// Was any run of it traced? Runs of an audit and denials of a log have only what was outside a
/// policy: a policy of those alone refuses nearly all that the workload does.
bool HasTracedRun(const Recording& recording);

/// Without a traced run it is partial.
Completeness CompletenessOf(const Recording& recording);

/// After a limitation of this kind a part of the workload's life or one of its tasks is missing
/// altogether; with all others everything else is known to be there (docs/recording-format.md).
bool MakesPartial(std::string_view limitation_kind);

/// What is known to be missing: the limitations of all runs, "KIND: DETAIL", that a run was ended
/// before the workload, and that none was traced.
std::set<std::string> WhatIsMissing(const Recording& recording);

/// How likely the next sighting is to be of a kind that was not seen.
struct UnseenChance {
  double percent = 0;
  bool upper_bound = false;  ///< it is less than that, not about that
};

/// Good (1953): the share of the unseen is about that of what was seen once. Of nothing seen once
/// the estimate would be 0, which no number of sightings shows: then the rule of three bounds it.
/// Of `all` sightings `once` were the only one of their kind; `all` is not 0. Never below 0.01 %.
UnseenChance EstimateUnseen(std::uint64_t once, std::uint64_t all);

}  // namespace cordon
