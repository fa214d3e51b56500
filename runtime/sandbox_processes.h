#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace cordon {

/// One process in a sandbox, as /proc shows it now.
struct SandboxProcess {
  pid_t pid = 0;                      ///< as the caller's pid namespace numbers it
  pid_t parent = 0;                   ///< likewise
  pid_t inside = 0;                   ///< as the sandbox's does
  uid_t uid = 0;                      ///< real, in the caller's user namespace
  std::uint64_t cpu_us = 0;           ///< its own
  std::uint64_t children_cpu_us = 0;  ///< of those that it has waited for
  std::uint64_t age_us = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t threads = 1;
  std::string command;  ///< its command line with spaces between; its name where it has none
  bool operator==(const SandboxProcess&) const = default;
};

/// All in the pid namespace of the sandbox that `supervisor` supervises, parents before their
/// children. Needs no privilege.
std::vector<SandboxProcess> SandboxProcesses(pid_t supervisor);

}  // namespace cordon
