#include "observe/host_facts.h"

#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>

#include "observe/process_status.h"

namespace cordon {

HostFacts ReadHostFacts() {
  HostFacts facts;
  utsname names{};
  if (::uname(&names) == 0) {
    facts.kernel = names.release;
  }
  facts.architecture = Name(NativeArchitecture());
  facts.libc = fmt::format("glibc {}", ::gnu_get_libc_version());
  facts.effective_uid = ::geteuid();
  if (const Expected<ProcessStatus> status = ReadProcessStatus(::getpid()); status.has_value()) {
    facts.effective_capabilities = status->credentials.effective_capabilities;
    facts.tracer_filtered = status->seccomp_mode != 0;
  }
  return facts;
}

std::string NewRunId() {
  std::array<unsigned char, 16> bytes{};
  (void)::getrandom(bytes.data(), bytes.size(),
                    0);  // does not fail for so few bytes (getrandom(2))
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

}  // namespace cordon
