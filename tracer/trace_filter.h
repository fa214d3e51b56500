#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

namespace cordon {

/// SECCOMP_RET_DATA of TraceFilter(): tells its stops from those that a filter of the workload's
/// own asks for.
inline constexpr std::uint16_t kTraceFilterTag = 0xc07d;

/// The program that makes every call of every ABI stop once: SECCOMP_RET_TRACE without exception. A
/// call that it let pass would be missing from the recording, and the policy made from that would
/// break the workload.
std::vector<sock_filter> TraceFilter();

}  // namespace cordon
