#include "cli/oci/oci_container.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "common/file.h"
#include "common/text.h"

namespace cordon::cli {
namespace {

constexpr std::size_t kProcFileLimit = std::size_t{16} << 20;

OciStatus StatusOf(const OciContainer& container) {
  if (container.record.pid == 0) {
    return OciStatus::kCreating;
  }
  if (!container.process) {
    return OciStatus::kStopped;
  }
  if (container.folder.IsBeingMade()) {
    return OciStatus::kCreating;
  }
  // First: what waits for its start may be paused, too.
  if (container.cgroups.IsFrozen()) {
    return OciStatus::kPaused;
  }
  return container.folder.IsWaiting() ? OciStatus::kCreated : OciStatus::kRunning;
}

}  // namespace

Expected<std::vector<OciHierarchy>> OciHierarchies(const OciCall& call) {
  if (call.cgroup_manager == "disabled") {
    return std::vector<OciHierarchy>();
  }
  ASSIGN_OR_RETURN(const std::string cgroup, ReadFile("/proc/self/cgroup", kProcFileLimit));
  ASSIGN_OR_RETURN(const std::string mounts, ReadFile("/proc/self/mountinfo", kProcFileLimit));
  return ParseOciHierarchies(cgroup, mounts);
}

Expected<OciContainer> LoadOciContainer(const OciCall& call, const std::string& id,
                                        OciAccess access) {
  ASSIGN_OR_RETURN(OciFolder folder, access == OciAccess::kLook ? OciFolder::Look(call.root, id)
                                                                : OciFolder::Open(call.root, id));
  ASSIGN_OR_RETURN(std::optional<OciRecord> record, folder.LoadRecord());
  OciRecord unfinished;
  unfinished.id = id;
  OciContainer container{.folder = std::move(folder),
                         .record = record ? *std::move(record) : unfinished,
                         .cgroups = {},
                         .process = {},
                         .status = OciStatus::kStopped};
  // Where they are does not depend on whether new containers get any.
  OciCall any = call;
  any.cgroup_manager = "cgroupfs";
  ASSIGN_OR_RETURN(const std::vector<OciHierarchy> hierarchies, OciHierarchies(any));
  container.cgroups = OciCgroups::Open(hierarchies, container.record.cgroups);
  ASSIGN_OR_RETURN(container.process, OpenContainerProcess(container.record));
  container.status = StatusOf(container);
  return container;
}

Status SignalOciContainer(const OciContainer& container, int signal) {
  if (!container.process ||
      (::syscall(SYS_pidfd_send_signal, container.process->get(), signal, nullptr, 0) != 0 &&
       errno == ESRCH)) {
    return Fail(MakeError(ErrorCode::kNotFound, "container not running"));
  }
  return {};
}

Expected<int> ParseOciSignal(const std::string& text) {
  if (const auto number = ParseUnsigned(text); number && *number < static_cast<unsigned>(NSIG)) {
    return static_cast<int>(*number);
  }
  std::string name = text;
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
  if (name.starts_with("SIG")) {
    name.erase(0, 3);
  }
  for (int signal = 1; signal < NSIG; ++signal) {
    const char* const known = ::sigabbrev_np(signal);
    if (known != nullptr && name == known) {
      return signal;
    }
  }
  if (name.starts_with("RTMIN+")) {
    if (const auto offset = ParseUnsigned(name.substr(6));
        offset && *offset <= static_cast<unsigned>(SIGRTMAX - SIGRTMIN)) {
      return SIGRTMIN + static_cast<int>(*offset);
    }
  }
  return Fail(InvalidInput(Quote(text) + " is not the name or number of a signal"));
}

}  // namespace cordon::cli
