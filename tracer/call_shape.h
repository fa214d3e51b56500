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
  /// Argument that points to what the kernel writes, which may lie over the path.
  std::optional<std::uint8_t> output;
  std::uint16_t output_bytes = 0;  ///< of that; 0: as the argument behind it says
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
  bool controls = false;         ///< fcntl(2), whose command says what matters
  /// munmap(2): argument that must be less than kLeastOfBig, as a call that takes more may take
  /// what the program does not know of.
  std::optional<std::uint8_t> small;

  bool plain() const { return size == 0 && !path; }

  /// Is a result that is not the known one to be told? Then a stub looks at it.
  bool checks_result() const { return path || controls; }
};

/// Of fcntl(2): gives out another descriptor of the same file.
constexpr bool DuplicatesDescriptor(std::uint32_t command) {
  constexpr std::uint32_t kDuplicateCloseOnExec = 1030;  // F_DUPFD_CLOEXEC
  return command == 0 || command == kDuplicateCloseOnExec;
}

/// Commands up to this one (F_DUPFD, F_GETFD, F_SETFD, F_GETFL) are about the descriptor, whatever
/// its file is.
inline constexpr std::uint32_t kLastOfDescriptor = 3;

/// Does what is recorded of fcntl(2) with this command depend on the file?
constexpr bool ControlsFile(std::uint32_t command) {
  return command > kLastOfDescriptor && !DuplicatesDescriptor(command);
}

/// Flags of open(2) with which it does more than open what is there: O_CREAT, O_TRUNC, O_PATH and
/// O_TMPFILE without O_DIRECTORY, of x86-64 (asm-generic/fcntl.h).
inline constexpr std::uint32_t kMoreThanOpens = 0100 | 01000 | 010000000 | 020000000;

/// Bytes. Stubs and detours lie further from what the kernel placed before them.
inline constexpr std::uint32_t kLeastOfBig = 0x80000;

/// The shape of `call`; nothing for a call of which more than that matters (a path, bytes in
/// memory, what it returns), so that every one must be seen. From the same table as the recorder's
/// rules.
std::optional<CallShape> ShapeOf(Syscall call);

}  // namespace cordon
