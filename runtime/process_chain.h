#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace cordon {

/// A process by what /proc says of it; what cannot be read is empty.
struct ProcessLink {
  pid_t process = 0;       ///< as the reader's pid namespace numbers it
  std::string command;     ///< comm
  std::string executable;  ///< where /proc/PID/exe leads to
};

/// The process of `thread`, its parent, and so on up to the sandbox's first command: the one whose
/// parent's parent is this process. At most 32.
std::vector<ProcessLink> ReadProcessChain(pid_t thread);

/// "'cat' (pid 7, '/usr/bin/cat'), of 'sh' (pid 5, '/bin/dash')".
std::string Describe(const std::vector<ProcessLink>& chain);

}  // namespace cordon
