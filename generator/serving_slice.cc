#include "generator/serving_slice.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/text.h"

namespace cordon {
namespace {

bool HasCalls(const Run& run) {
  return run.tier != "denials";
}

bool IsMultiplexer(const Syscall& call) {
  const auto name = SyscallName(call);
  return name == "socketcall" || name == "ipc";
}

SyscallObservation ServingPart(const Syscall& call, const SyscallObservation& observation) {
  SyscallObservation part = observation;
  if (!IsMultiplexer(call)) {
    std::erase_if(part.tuples,
                  [](const auto& tuple) { return !tuple.second.phases.Has(Phase::kServe); });
  }
  return part;
}

}  // namespace

ServingSlice SliceServing(const Recording& recording) {
  ServingSlice slice;
  const bool meant = std::ranges::any_of(recording.runs, [](const auto& run) {
    return run.second.serving_ms.has_value() || !run.second.serving_when.empty();
  });
  if (!meant) {
    return slice;
  }
  for (const auto& [id, run] : recording.runs) {
    if (HasCalls(run) && !run.serving_ms) {
      slice.why_not = fmt::format(
          "run {} of {} had no boundary, so the policy has one phase: learn all runs with "
          "--serving-when",
          id.substr(0, 8), Quote(Join(run.command, " ")));
      return slice;
    }
  }
  Recording calls;
  calls.runs = recording.runs;
  for (const auto& [call, observation] : recording.syscalls) {
    if (observation.seen.phases.Has(Phase::kServe) || IsMultiplexer(call)) {
      SyscallObservation part = ServingPart(call, observation);
      // Every tuple of the call was of the start although the call itself was not: a recording that
      // says so was not written by cordon, and is taken at the call's word.
      if (part.tuples.empty() && !observation.tuples.empty()) {
        part = observation;
      }
      calls.syscalls.emplace(call, std::move(part));
    }
  }
  slice.calls = std::move(calls);
  return slice;
}

}  // namespace cordon
