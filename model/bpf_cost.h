#pragma once

#include <linux/filter.h>

#include <array>
#include <cstdint>
#include <span>

namespace cordon {

/// What a filter takes of the calls that it is asked about.
struct BpfCost {
  std::uint64_t instructions = 0;  ///< of the program
  std::uint64_t worst_case = 0;    ///< no run makes more
  /// struct seccomp_data, word by word, of a call that takes that many; meaningless unless `exact`.
  std::array<std::uint32_t, 16> dearest{};
  /// Does `dearest` take them? Not where the program calculates with more than one word, or has so
  /// many ways through it that the search was given up: then `worst_case` is that of a way that
  /// perhaps no call goes.
  bool exact = false;
};

/// The dearest way through the program that the conditions on it allow a call to go. `program` has
/// passed CheckBpf().
BpfCost MeasureBpf(std::span<const sock_filter> program);

}  // namespace cordon
