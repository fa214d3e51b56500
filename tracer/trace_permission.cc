#include "tracer/trace_permission.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "common/file.h"
#include "observe/process_status.h"

namespace cordon {
namespace {

constexpr int kCapSysPtrace = 19;   // linux/capability.h
constexpr int kScopeAdminOnly = 2;  // Yama: CAP_SYS_PTRACE is needed, for children too
constexpr int kScopeNoAttach = 3;   // Yama: nobody may, until the next boot
constexpr std::size_t kMaxScopeBytes = 64;

struct Hindrance {
  bool (*applies)(const TraceSurroundings&);
  std::string_view sentence;
};

/// In the order in which the kernel would refuse.
constexpr Hindrance kHindrances[] = {
    {[](const TraceSurroundings& s) { return s.yama_scope.value_or(0) >= kScopeNoAttach; },
     "kernel.yama.ptrace_scope is 3, which forbids tracing until the next boot: set it lower in "
     "sysctl.d and boot again"},
    {[](const TraceSurroundings& s) {
       return s.yama_scope.value_or(0) == kScopeAdminOnly && !s.has_sys_ptrace;
     },
     "kernel.yama.ptrace_scope is 2 and cordon lacks CAP_SYS_PTRACE: run it as root, in a "
     "container "
     "with --cap-add SYS_PTRACE, or set the scope to 1"},
    {[](const TraceSurroundings& s) { return s.already_traced; },
     "cordon itself is being traced by a debugger or strace whose filter refuses it: run it "
     "without"},
    {[](const TraceSurroundings& s) { return s.seccomp_filtered; },
     "a seccomp filter that cordon was started under refuses ptrace(2), as Docker's default "
     "profile "
     "does before Linux 4.8: start the container with --cap-add SYS_PTRACE, or with --security-opt "
     "seccomp=FILE of a profile that allows ptrace"},
};

}  // namespace

TraceSurroundings ReadTraceSurroundings() {
  TraceSurroundings surroundings;
  const Expected<ProcessStatus> status = ReadProcessStatus(::getpid());
  surroundings.has_proc = status.has_value();
  if (status.has_value()) {
    surroundings.seccomp_filtered = status->seccomp_mode != 0;
    surroundings.has_sys_ptrace = status->credentials.HasCapability(kCapSysPtrace);
    surroundings.already_traced = status->tracer != 0;
  }
  if (const Expected<std::string> scope =
          ReadFile("/proc/sys/kernel/yama/ptrace_scope", kMaxScopeBytes);
      scope.has_value()) {
    surroundings.yama_scope = std::atoi(scope->c_str());
  }
  return surroundings;
}

Status CheckProc(const TraceSurroundings& surroundings) {
  if (surroundings.has_proc) {
    return {};
  }
  return Fail(
      MakeError(ErrorCode::kUnsupported,
                "/proc is not mounted, or not of this pid namespace, and without it no path "
                "can be learned: mount -t proc proc /proc"));
}

Error ExplainTraceFailure(Error error, const TraceSurroundings& surroundings) {
  if (error.sys_errno != EPERM && error.sys_errno != EACCES && error.sys_errno != ENOSYS) {
    return error;
  }
  for (const Hindrance& hindrance : kHindrances) {
    if (hindrance.applies(surroundings)) {
      error.message.append("; ").append(hindrance.sentence);
      break;
    }
  }
  return error;
}

}  // namespace cordon
