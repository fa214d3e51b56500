#pragma once

#include <linux/filter.h>

#include <optional>
#include <vector>

#include "model/bpf_interpreter.h"
#include "model/syscall.h"

namespace cordon {

/// A container's seccomp profile, held by its tracer in the kernel's place: in the kernel an ERRNO
/// outranks the TRACE by which a call is seen (seccomp(2)), so what the profile refuses would be
/// missing from the recording.
class HeldProfile {
 public:
  /// The profile that `program` is, compiled. Nothing for one that answers otherwise than by ALLOW,
  /// ERRNO and KILL: it is for the kernel alone. So is KILL, which every profile has for foreign
  /// architectures: a call that kills is not seen.
  static std::optional<HeldProfile> Of(std::vector<sock_filter> program);

  /// What is loaded in its place: the same with TraceFilter()'s answer where it refuses. Without a
  /// tracer such a call fails with ENOSYS.
  const std::vector<sock_filter>& program() const { return program_; }

  /// The positive errno that `invocation` is refused with; 0: it is allowed. So is none that makes
  /// a listener of user notifications (EBUSY): its answers outrank a tracer's.
  int RefusalOf(const SyscallInvocation& invocation) const;

 private:
  HeldProfile(BpfInterpreter profile, std::vector<sock_filter> program)
      : profile_(std::move(profile)), program_(std::move(program)) {}

  BpfInterpreter profile_;
  std::vector<sock_filter> program_;
};

}  // namespace cordon
