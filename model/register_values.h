#pragma once

#include <cstdint>
#include <vector>

#include "common/error.h"
#include "model/seccomp_policy.h"

namespace cordon {

/// One value of a register for every way in which `conditions`, all on that register, can come out:
/// two values that differ in the answer of some condition are both there, and each value stands for
/// all that answer every condition alike. `comparable_bits` are the bits that are compared, the
/// lowest ones; others are zero. Exact, not sampled. Fails with kLimit where finding the values
/// takes too long, which only conditions made for that do.
Expected<std::vector<std::uint64_t>> DistinctValues(
    const std::vector<ArgumentCondition>& conditions, std::uint64_t comparable_bits);

}  // namespace cordon
