#include "runtime/launch_actions.h"

#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "runtime/guard.h"
#include "runtime/linux_calls.h"

// sys/mount.h and linux/mount.h clash in Debian 12 (linux_calls.h).
extern "C" int umount2(const char*, int) noexcept;

namespace cordon {

using namespace linux_calls;

void CloseOthers(unsigned first, std::span<const int> kept) {
  for (const int one : kept) {
    if (one < 0) {
      continue;
    }
    const auto number = static_cast<unsigned>(one);
    if (number > first) {
      (void)::syscall(SYS_close_range, first, number - 1, 0);
    }
    first = number >= first ? number + 1 : first;
  }
  (void)::syscall(SYS_close_range, first, ~0U, 0);
}

StepResult BringLoopbackUp() {
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (socket < 0 || ::ioctl(socket, SIOCSIFFLAGS, &request) != 0) {
    return Failed(LaunchStep::kLoopback);
  }
  (void)::close(socket);
  return kDone;
}

StepResult PivotInto(int root) {
  // pivot_root(".", ".") stacks the old root on the new one; the detach then removes it
  // (pivot_root(2), NOTES).
  if (::fchdir(root) != 0 || PivotRoot(".", ".") != 0 || ::umount2(".", kDetach) != 0 ||
      ::chdir("/") != 0) {
    return Failed(LaunchStep::kPivotRoot);
  }
  return kDone;
}

StepResult CheckWorkingDirectory() {
  if (!Holds(Guard::kNoDescriptors)) {
    return kDone;
  }
  std::array<char, 4096> path{};
  const long length = ::syscall(SYS_getcwd, path.data(), path.size());
  if (length <= 0 || path[0] != '/') {
    return {LaunchStep::kWorkingDirectory, length <= 0 ? errno : EXDEV, 0};
  }
  return kDone;
}

}  // namespace cordon
