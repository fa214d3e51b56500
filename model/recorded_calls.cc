#include "model/recorded_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "model/errno_name.h"
#include "model/syscall_signature.h"

namespace cordon {
namespace {

/// The registers of a call that was recorded with `tuple`; what the recording has from memory is in
/// no register.
SyscallInvocation InvocationOf(Syscall call, const ArgumentTuple& tuple) {
  SyscallInvocation invocation{call, {}};
  const std::span<const ScalarArgument> scalars =
      RecordedScalars(call.arch, SyscallName(call).value_or(""));
  for (std::size_t i = 0; i < scalars.size() && i < tuple.size(); ++i) {
    if (scalars[i].member.empty()) {
      invocation.arguments.at(scalars[i].index) = tuple[i];
    }
  }
  return invocation;
}

}  // namespace

std::vector<RecordedCall> RecordedCalls(const Recording& recording) {
  std::vector<RecordedCall> calls;
  for (const auto& [call, observation] : recording.syscalls) {
    for (const auto& [tuple, seen] : observation.tuples) {
      calls.push_back({InvocationOf(call, tuple), seen.results, observation.seen.executables});
    }
    if (observation.overflow) {
      ArgumentTuple lowest;
      ArgumentTuple highest;
      for (const ScalarRange& range : *observation.overflow) {
        lowest.push_back(range.minimum);
        highest.push_back(range.maximum);
      }
      calls.push_back(
          {InvocationOf(call, lowest), observation.results, observation.seen.executables});
      calls.push_back(
          {InvocationOf(call, highest), observation.results, observation.seen.executables});
    }
    if (observation.tuples.empty() && !observation.overflow) {
      calls.push_back({{call, {}}, observation.results, observation.seen.executables});
    }
  }
  return calls;
}

SyscallInvocation WithDirtyRegisters(SyscallInvocation invocation) {
  for (const ScalarArgument& scalar :
       RecordedScalars(invocation.call.arch, SyscallName(invocation.call).value_or(""))) {
    if (scalar.member.empty() && scalar.width_bits == 32) {
      invocation.arguments.at(scalar.index) |= 0xdeadbeef00000000;
    }
  }
  return invocation;
}

std::string DescribeInvocation(const SyscallInvocation& invocation) {
  std::size_t shown = 0;
  for (std::size_t i = 0; i < invocation.arguments.size(); ++i) {
    shown = invocation.arguments.at(i) != 0 ? i + 1 : shown;
  }
  for (const ScalarArgument& scalar :
       RecordedScalars(invocation.call.arch, SyscallName(invocation.call).value_or(""))) {
    shown = scalar.member.empty() ? std::max(shown, scalar.index + std::size_t{1}) : shown;
  }
  std::string arguments;
  for (std::size_t i = 0; i < shown; ++i) {
    arguments += fmt::format("{}{:#x}", i == 0 ? "" : ", ", invocation.arguments.at(i));
  }
  return fmt::format("{}({}) on {}", SyscallLabel(invocation.call), arguments,
                     Name(invocation.call.arch));
}

std::string DescribeResults(const ResultCounts& results) {
  std::string text;
  for (const auto& [error, count] : results) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", error == 0 ? "ok" : ErrnoName(error));
  }
  return text.empty() ? "no result" : text;
}

}  // namespace cordon
