#pragma once

#include <cstdint>

#include "model/recording.h"

namespace cordon::testing {

/// A recording that depends on `seed` only, with items that collide between seeds so that merging
/// has something to do.
Recording RandomRecording(std::uint32_t seed);

}  // namespace cordon::testing
