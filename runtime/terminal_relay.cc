#include "runtime/terminal_relay.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

namespace cordon {
namespace {

constexpr std::size_t kPieceBytes = 4096;
// What poll(2) says there is room for: PIPE_BUF, and less than a terminal's buffer.
constexpr std::size_t kGivenAtOnce = 512;
// More than a terminal holds: 64 KiB on the way, and 4 KiB to be read.
constexpr std::size_t kMostHeld = std::size_t{128} << 10;

short EventsOf(const std::vector<pollfd>& waits, int fd, short event) {
  short events = 0;
  for (const pollfd& wait : waits) {
    if (wait.fd == fd && (wait.events & event) != 0) {
      events = static_cast<short>(events | wait.revents);
    }
  }
  return events;
}

ssize_t ReadPiece(int fd, std::array<char, kPieceBytes>& piece) {
  ssize_t got = 0;
  do {
    got = ::read(fd, piece.data(), piece.size());
  } while (got < 0 && errno == EINTR);
  return got;
}

/// Blocks SIGTTOU: a process of the background may set its terminal then, instead of being stopped
/// (tcsetattr(3)).
class NotStopped {
 public:
  NotStopped() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGTTOU);
    ::sigprocmask(SIG_BLOCK, &set, &before_);
  }

  NotStopped(const NotStopped&) = delete;
  NotStopped& operator=(const NotStopped&) = delete;

  ~NotStopped() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace

TerminalRelay::~TerminalRelay() {
  Restore();
}

TerminalSize TerminalRelay::SizeOf(int input) {
  winsize size{};
  (void)::ioctl(input, TIOCGWINSZ, &size);
  return {size.ws_row, size.ws_col};
}

void TerminalRelay::Take(UniqueFd master) {
  master_ = std::move(master);
  (void)::fcntl(master_.get(), F_SETFL, ::fcntl(master_.get(), F_GETFL) | O_NONBLOCK);
  Resize();
  MakeRaw();
}

void TerminalRelay::MakeRaw() {
  termios now{};
  if (::tcgetattr(input_, &now) != 0) {
    return;
  }
  if (!before_) {
    before_ = now;
  }
  ::cfmakeraw(&now);
  (void)::tcsetattr(input_, TCSADRAIN, &now);
}

void TerminalRelay::Restore() {
  if (before_) {
    const NotStopped not_stopped;
    (void)::tcsetattr(input_, TCSADRAIN, &*before_);
    before_.reset();
  }
}

void TerminalRelay::Resize() const {
  winsize size{};
  if (master_.valid() && ::ioctl(input_, TIOCGWINSZ, &size) == 0) {
    (void)::ioctl(master_.get(), TIOCSWINSZ, &size);  // signals who has that one
  }
}

void TerminalRelay::Resume() {
  if (master_.valid()) {
    MakeRaw();
    Resize();
  }
}

void TerminalRelay::AddWaits(std::vector<pollfd>& waits) const {
  if (!master_.valid()) {
    return;
  }
  if (to_terminal_.empty()) {
    waits.push_back({input_, POLLIN, 0});
  } else {
    waits.push_back({master_.get(), POLLOUT, 0});
  }
  if (!to_output_.empty()) {
    waits.push_back({output_, POLLOUT, 0});
  } else if (!output_ended_) {
    waits.push_back({master_.get(), POLLIN, 0});
  }
}

void TerminalRelay::Handle(const std::vector<pollfd>& waits) {
  if (!master_.valid()) {
    return;
  }
  if (EventsOf(waits, input_, POLLIN) != 0 && to_terminal_.empty()) {
    TakeInput();
  }
  if (master_.valid() && EventsOf(waits, master_.get(), POLLIN) != 0 && to_output_.empty()) {
    output_ended_ = !TakeOutput() && errno == EIO;
  }
  if (master_.valid() && EventsOf(waits, master_.get(), POLLOUT) != 0) {
    GiveInput();
  }
  if (EventsOf(waits, output_, POLLOUT) != 0) {
    GiveOutput(kGivenAtOnce);
  }
}

void TerminalRelay::TakeInput() {
  std::array<char, kPieceBytes> piece{};
  const ssize_t got = ReadPiece(input_, piece);
  if (got > 0) {
    to_terminal_.assign(piece.data(), static_cast<std::size_t>(got));
    return;
  }
  if (got < 0 && errno == EAGAIN) {
    return;
  }
  // The end of a terminal in raw mode is that it was hung up.
  before_.reset();
  master_.Reset();
}

void TerminalRelay::GiveInput() {
  const ssize_t given = ::write(master_.get(), to_terminal_.data(), to_terminal_.size());
  if (given > 0) {
    to_terminal_.erase(0, static_cast<std::size_t>(given));
  } else if (given < 0 && errno != EAGAIN && errno != EINTR) {
    to_terminal_.clear();
  }
}

bool TerminalRelay::TakeOutput() {
  std::array<char, kPieceBytes> piece{};
  const ssize_t got = ReadPiece(master_.get(), piece);
  if (got <= 0) {
    return false;
  }
  if (!output_gone_) {
    to_output_.assign(piece.data(), static_cast<std::size_t>(got));
  }
  return true;
}

void TerminalRelay::GiveOutput(std::size_t most) {
  const ssize_t given = ::write(output_, to_output_.data(), std::min(most, to_output_.size()));
  if (given > 0) {
    to_output_.erase(0, static_cast<std::size_t>(given));
  } else if (given < 0 && errno != EAGAIN && errno != EINTR) {
    output_gone_ = true;  // what is written there is read all the same, so that nobody waits
    to_output_.clear();
  }
}

void TerminalRelay::Finish() {
  std::size_t taken = 0;
  while (master_.valid() && (!to_output_.empty() || (taken < kMostHeld && TakeOutput()))) {
    taken += to_output_.size();
    while (!to_output_.empty()) {
      pollfd room{output_, POLLOUT, 0};
      (void)::poll(&room, 1, -1);
      GiveOutput(to_output_.size());
    }
  }
  master_.Reset();
  Restore();
}

}  // namespace cordon
