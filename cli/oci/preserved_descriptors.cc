#include "cli/oci/preserved_descriptors.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "common/text.h"

namespace cordon::cli {
namespace {

constexpr unsigned kFirst = 3;
constexpr unsigned kMost = 1024;

std::uint64_t NumberOf(const char* variable) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? 0 : ParseUnsigned(text).value_or(0);
}

}  // namespace

unsigned ListenFds() {
  const std::uint64_t count = NumberOf("LISTEN_FDS");
  const bool ours = NumberOf("LISTEN_PID") == static_cast<std::uint64_t>(::getpid());
  return ours && count <= kMost ? static_cast<unsigned>(count) : 0;
}

Status CheckPreserved(std::uint64_t count) {
  if (count > kMost) {
    return Fail(
        InvalidInput(fmt::format("--preserve-fds: {} is too many: at most {}", count, kMost)));
  }
  for (unsigned number = kFirst; number < kFirst + count; ++number) {
    if (::fcntl(static_cast<int>(number), F_GETFD) < 0) {
      return Fail(InvalidInput(
          fmt::format("--preserve-fds: {} descriptors are to be handed on, but {} is not open",
                      count, number)));
    }
  }
  return {};
}

}  // namespace cordon::cli
