#pragma once

#include <poll.h>
#include <termios.h>

#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/unique_fd.h"
#include "model/terminal_size.h"

namespace cordon {

/// Passes bytes between this process's terminal and the master of a sandbox's. While it does, the
/// first is in raw mode (cfmakeraw(3)): what is typed there, Ctrl-C too, is for the second. What it
/// was before is restored when this ends. When the first is hung up, so is the second.
/// Single-threaded: everything happens in Handle() and Finish(). SIGPIPE must be blocked or
/// ignored.
class TerminalRelay {
 public:
  /// Both must outlive this. `input` is a terminal; `output` may be anything.
  TerminalRelay(int input, int output) : input_(input), output_(output) {}

  TerminalRelay(const TerminalRelay&) = delete;
  TerminalRelay& operator=(const TerminalRelay&) = delete;
  ~TerminalRelay();

  /// Of the terminal `input`; unknown where it is none.
  static TerminalSize SizeOf(int input);

  /// The master, when it has come: begins.
  void Take(UniqueFd master);

  bool begun() const { return master_.valid(); }

  /// The size of this process's terminal may have changed (SIGWINCH).
  void Resize() const;

  /// This process was stopped (SIGCONT): its shell has used the terminal meanwhile.
  void Resume();

  /// Appends what is to be waited for.
  void AddWaits(std::vector<pollfd>& waits) const;

  /// Passes on what `waits`, which AddWaits() appended to since, found ready.
  void Handle(const std::vector<pollfd>& waits);

  /// Passes on what was written to the sandbox's terminal and is still there, and restores this
  /// process's own.
  void Finish();

 private:
  void MakeRaw();
  void Restore();
  void TakeInput();
  void GiveInput();
  bool TakeOutput();
  void GiveOutput(std::size_t most);

  int input_;
  int output_;
  UniqueFd master_;
  std::optional<termios> before_;
  bool output_gone_ = false;   ///< nobody reads what is given
  bool output_ended_ = false;  ///< nobody has the sandbox's terminal any more
  std::string to_terminal_;
  std::string to_output_;
};

}  // namespace cordon
