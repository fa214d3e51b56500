#pragma once

#include <sys/types.h>

#include <string>

#include "model/syscall.h"

namespace cordon {

/// `invocation` as a person reads it, with what the caller's memory says of paths and socket
/// addresses: "openat(AT_FDCWD, '/etc/shadow', O_RDONLY)", "connect(3, 127.0.0.1:80)". `thread`
/// must be waiting in the call; what cannot be read is shown as the register's value. Bounded in
/// length.
std::string DescribeCall(const SyscallInvocation& invocation, pid_t thread);

}  // namespace cordon
