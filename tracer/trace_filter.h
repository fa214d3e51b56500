#pragma once

#include <linux/filter.h>

#include <vector>

namespace cordon {

/// The program that makes every call of every ABI stop once: SECCOMP_RET_TRACE without exception. A
/// call that it let pass would be missing from the recording, and the policy made from that would
/// break the workload.
std::vector<sock_filter> TraceFilter();

}  // namespace cordon
