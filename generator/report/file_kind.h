#pragma once

#include <cstdint>
#include <string_view>

#include "model/recording.h"

namespace cordon::report {

/// The one word for what was done to a file; the first that fits.
enum class FileKind : std::uint8_t {
  kExecuted,  ///< executed, or mapped to be
  kChanged,   ///< its content, its attributes, its name
  kRead,      ///< opened, read, listed, followed, connected to
  kLooked,    ///< only looked at or walked through
  kMissing,   ///< looked for and not found, or not given
};

inline constexpr std::uint8_t kFileKinds = 5;

FileKind KindOf(const FileObservation& file);

/// "executed", "changed", "read", "looked at", "not found".
std::string_view KindWord(FileKind kind);

/// The same as one word of letters, for classes in the page.
std::string_view KindClass(FileKind kind);

}  // namespace cordon::report
