#include "cli/progress_line.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace cordon::cli {
namespace {

constexpr std::string_view kErase = "\r\033[K";  // to the end of the line (console_codes(4))
constexpr std::chrono::milliseconds kQuiet{500};

void WriteTo(int fd, std::string_view text) {
  (void)!::write(fd, text.data(), text.size());
}

std::size_t WidthOf(int fd) {
  constexpr std::size_t kUsual = 80;
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

std::string Counted(std::size_t number, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", number, number == 1 ? one : many);
}

}  // namespace

std::string DescribeProgress(const RunProgress& progress, double calls_per_second) {
  return fmt::format(
      "{} s, {}, {}, {}, {:.0f} calls/s, new {} s ago", progress.elapsed.count() / 1000,
      Counted(progress.processes, "process", "processes"),
      Counted(progress.syscalls, "syscall", "syscalls"), Counted(progress.paths, "path", "paths"),
      calls_per_second, progress.since_new.count() / 1000);
}

bool ProgressLine::Fits(int fd) {
  const char* const terminal = std::getenv("TERM");
  return ::isatty(fd) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb" &&
         !std::string_view(terminal).empty();
}

bool ProgressLine::IsInTheWay() const {
  termios mode{};
  constexpr tcflag_t kUsual = ICANON | ECHO;
  return in_line_ || std::chrono::steady_clock::now() - last_output_ < kQuiet ||
         ::tcgetpgrp(fd_) != ::getpgrp() || ::tcgetattr(fd_, &mode) != 0 ||
         (mode.c_lflag & kUsual) != kUsual;
}

void ProgressLine::OnProgress(const RunProgress& progress) {
  const auto passed = progress.elapsed - last_elapsed_;
  const double seconds = std::chrono::duration<double>(passed).count();
  const double rate =
      seconds > 0 ? static_cast<double>(progress.calls - last_calls_) / seconds : 0.0;
  last_elapsed_ = progress.elapsed;
  last_calls_ = progress.calls;
  if (IsInTheWay()) {
    Erase();
    return;
  }
  // The last column stays free: writing there would move the cursor to the next line.
  const std::string text =
      fmt::format("cordon: {}", DescribeProgress(progress, rate)).substr(0, WidthOf(fd_) - 1);
  WriteTo(fd_, fmt::format("{}{}", kErase, text));
  drawn_ = true;
}

void ProgressLine::BeforeOutput(OutputEnd end) {
  Erase();
  in_line_ = end == OutputEnd::kLineOpen;
  last_output_ = std::chrono::steady_clock::now();
}

void ProgressLine::Erase() {
  if (drawn_) {
    WriteTo(fd_, kErase);
    drawn_ = false;
  }
}

}  // namespace cordon::cli
