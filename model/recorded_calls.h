#pragma once

#include <set>
#include <string>
#include <vector>

#include "model/recording.h"
#include "model/seccomp_policy.h"

namespace cordon {

/// A recorded call with one distinct set of arguments, as a filter sees it.
struct RecordedCall {
  SyscallInvocation invocation;
  ResultCounts results;
  std::set<std::string> executables;  ///< which made the call, with whatever arguments
};

/// Every call of `recording`: one per argument tuple; of a set of tuples that grew over its bound
/// the lowest and the highest values, with the results of all. What a recording has from the
/// caller's memory is in no register, and left zero.
std::vector<RecordedCall> RecordedCalls(const Recording& recording);

/// `invocation` with rubbish in the high halves of the registers that the kernel takes as int: it
/// may be there (psABI), and must not matter.
SyscallInvocation WithDirtyRegisters(SyscallInvocation invocation);

/// "socket(0x2, 0x1, 0x0) on x86_64": up to the last register that a recording keeps
/// of the call or that is not zero.
std::string DescribeInvocation(const SyscallInvocation& invocation);

/// "ok, ENOENT"; "no result" for none.
std::string DescribeResults(const ResultCounts& results);

}  // namespace cordon
