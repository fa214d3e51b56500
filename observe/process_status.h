#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/error.h"

namespace cordon {

/// Who a task is to the kernel's permission checks (credentials(7)).
struct Credentials {
  std::array<std::uint32_t, 4> uids{};  ///< real, effective, saved, file system
  std::array<std::uint32_t, 4> gids{};
  std::vector<std::uint32_t> groups;  ///< supplementary
  std::uint64_t effective_capabilities = 0;

  std::uint32_t effective_uid() const { return uids[1]; }

  std::uint32_t effective_gid() const { return gids[1]; }

  std::uint32_t file_uid() const { return uids[3]; }

  bool HasCapability(int capability) const {
    return ((effective_capabilities >> capability) & 1U) != 0;
  }

  bool InGroup(std::uint32_t gid) const;
  bool operator==(const Credentials&) const = default;
};

/// The part of /proc/TID/status that cordon uses (proc(5)).
struct ProcessStatus {
  char state = 0;  ///< 'R', 'S', 'D', 'T' (stopped), 't' (in a ptrace-stop), 'Z', 'X'
  pid_t thread_group = 0;
  pid_t parent = 0;
  pid_t innermost_pid = 0;  ///< the thread group's id in its own pid namespace (NStgid)
  pid_t tracer = 0;
  Credentials credentials;
  std::uint64_t seccomp_filters =
      0;                 ///< 0 also where the kernel is older than 5.9 and does not say
  int seccomp_mode = 0;  ///< SECCOMP_MODE_*
  bool no_new_privileges = false;
  std::uint64_t peak_resident_bytes = 0;  ///< VmHWM; 0 for a zombie
  std::uint64_t resident_bytes = 0;       ///< VmRSS
};

/// Parses the text of a status file; lines that are missing leave their value at 0.
ProcessStatus ParseProcessStatus(std::string_view text);

/// Reads /proc/`task`/status. Fails with kNotFound when the task is gone.
Expected<ProcessStatus> ReadProcessStatus(pid_t task);

}  // namespace cordon
