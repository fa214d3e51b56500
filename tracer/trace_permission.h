#pragma once

#include <optional>
#include <string>

#include "common/error.h"

namespace cordon {

/// What decides whether cordon may trace a program that it starts.
struct TraceSurroundings {
  bool has_proc = true;           ///< /proc is mounted and shows cordon itself
  std::optional<int> yama_scope;  ///< kernel.yama.ptrace_scope; nothing: no Yama in this kernel
  bool seccomp_filtered = false;  ///< cordon itself runs under a seccomp filter
  bool has_sys_ptrace = false;    ///< CAP_SYS_PTRACE
  bool already_traced = false;    ///< cordon itself has a tracer
};

/// Reads /proc/self/status and /proc/sys/kernel/yama/ptrace_scope. Never fails.
TraceSurroundings ReadTraceSurroundings();

/// Fails with kUnsupported when paths and descriptors of other tasks could not be read.
Status CheckProc(const TraceSurroundings& surroundings);

/// The error of PTRACE_SEIZE with what most likely refused it, and what to do about that. An error
/// other than EPERM, EACCES and ENOSYS stays as it is. Sources: ptrace(2), "Ptrace access mode
/// checking"; Linux, Documentation/admin-guide/LSM/Yama.rst; Docker refuses ptrace(2) in its
/// default seccomp profile on kernels before 4.8.
Error ExplainTraceFailure(Error error, const TraceSurroundings& surroundings);

}  // namespace cordon
