#pragma once

#include <cstdint>

namespace cordon {

/// In characters; 0 for unknown, as terminals have it (ioctl_tty(2), TIOCSWINSZ).
struct TerminalSize {
  std::uint16_t rows = 0;
  std::uint16_t columns = 0;
  bool operator==(const TerminalSize&) const = default;
};

}  // namespace cordon
