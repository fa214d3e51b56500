#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "model/syscall.h"

namespace cordon {

/// A part of what tells one call from another of the same number.
struct KeyPart {
  enum class Kind : std::uint8_t {
    kScalar,      ///< the register, masked to `width_bits`
    kDescriptor,  ///< what the descriptor in the register is
  };

  Kind kind = Kind::kScalar;
  std::uint8_t index = 0;        ///< 0..5, the register argument
  std::uint8_t width_bits = 32;  ///< kScalar: 32 or 64
};

/// The path of a call, with where it begins.
struct PathPart {
  std::uint8_t index = 0;                 ///< register argument that points to it
  std::optional<std::uint8_t> directory;  ///< argument with the directory descriptor; nothing: none
};

/// Everything in a call's registers that what a recording holds of it depends on, apart from the
/// program and the phase: two calls of the same number, program and phase whose parts are equal are
/// recorded alike once the first has succeeded (CallObserver::RepetitionOf() says whether).
struct CallShape {
  static constexpr std::size_t kMaxParts = 5;
  std::array<KeyPart, kMaxParts> parts{};
  std::size_t size = 0;
  std::optional<PathPart> path;  ///< the call names a file by it
  bool opens = false;            ///< what it returns is a new descriptor
  bool closes = false;           ///< argument 0 is a descriptor that it ends

  bool plain() const { return size == 0 && !path; }
};

/// The shape of `call`; nothing for a call of which more than that matters (a path, bytes in
/// memory, what it returns), so that every one must be seen. From the same table as the recorder's
/// rules.
std::optional<CallShape> ShapeOf(Syscall call);

}  // namespace cordon
