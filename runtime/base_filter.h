#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "model/architecture.h"

namespace cordon {

/// Whether what runs under a base filter may make user namespaces: a policy says so itself.
enum class UserNamespacesInside : std::uint8_t { kAllowed, kRefused };

/// The numbers that a base filter looks for in one ABI, without the x32 bit. A test holds them
/// against policies/syscalls.csv; constants, because reading that costs a launch a millisecond.
struct BaseFilterCalls {
  Architecture arch;
  std::uint32_t ioctl;
  std::uint32_t clone;
  std::uint32_t unshare;
  std::uint32_t clone3;
};

/// One row for each ABI that a kernel of `native` runs; none where cordon does not know it.
std::vector<BaseFilterCalls> BaseFilterCallsOf(Architecture native);

/// The seccomp filter that everything in a sandbox is under, whatever its policy allows: it refuses
/// (EPERM) ioctl TIOCSTI and TIOCLINUX, which put input into a terminal that the sandbox may share
/// with its caller (CVE-2017-5226; CVE-2019-10063 was a comparison of all 64 bits of the request,
/// of which the kernel takes 32). With kRefused also unshare and clone with CLONE_NEWUSER, and
/// clone3 (ENOSYS, as its flags lie in memory; libc then takes clone). A call of an ABI without a
/// row gets ENOSYS. Empty for a `native` without rows.
std::vector<sock_filter> BaseFilter(Architecture native, UserNamespacesInside user_namespaces);

}  // namespace cordon
