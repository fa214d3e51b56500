#include "model/outcome.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace cordon {
namespace {

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

std::string SignalName(int signal) {
  const char* abbreviation = sigabbrev_np(signal);  // NULL for real-time signals (glibc 2.32)
  return abbreviation != nullptr ? fmt::format("SIG{}", abbreviation)
                                 : fmt::format("signal {}", signal);
}

}  // namespace

int ExitStatus(const Outcome& outcome) {
  return std::visit(
      Overloaded{[](const Exited& exited) { return exited.code; },
                 [](const Signaled& signaled) { return 128 + signaled.signal; },
                 [](const NotExecuted& failed) { return failed.sys_errno == ENOENT ? 127 : 126; }},
      outcome);
}

std::string Describe(const Outcome& outcome) {
  return std::visit(
      Overloaded{[](const Exited& exited) { return fmt::format("exited {}", exited.code); },
                 [](const Signaled& signaled) {
                   return fmt::format("killed by {}", SignalName(signaled.signal));
                 },
                 [](const NotExecuted& failed) {
                   const char* text = strerrordesc_np(failed.sys_errno);
                   return fmt::format("could not be executed: {}",
                                      text != nullptr ? text : "unknown error");
                 }},
      outcome);
}

}  // namespace cordon
