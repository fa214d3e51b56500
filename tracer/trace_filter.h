#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "tracer/address_space.h"

namespace cordon {

/// SECCOMP_RET_DATA of TraceFilter(): tells its stops from those that a filter of the workload's
/// own asks for.
inline constexpr std::uint16_t kTraceFilterTag = 0xc07d;

/// The program that makes every call of every ABI stop once: SECCOMP_RET_TRACE without exception. A
/// call that it let pass would be missing from the recording, and the policy made from that would
/// break the workload.
std::vector<sock_filter> TraceFilter();

/// The same but for calls that the code of `window` makes, which go through; of these only
/// restart_syscall(2) stops: the kernel makes it by itself, in place of a call that it interrupted.
std::vector<sock_filter> TraceFilterOutside(const StubWindow& window);

}  // namespace cordon
