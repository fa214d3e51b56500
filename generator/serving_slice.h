#pragma once

#include <optional>
#include <string>

#include "model/recording.h"

namespace cordon {

/// What of `recording` a workload does once it serves.
struct ServingSlice {
  /// Its system calls, with the arguments that they had in the serving phase; nothing else. Nothing
  /// at all where the phases cannot be told apart.
  std::optional<Recording> calls;
  std::string why_not;  ///< one sentence naming the run without a boundary; empty where no run
                        ///< was meant to have one, and where `calls` are there
};

/// A call is of the serving phase where its recording says so; socketcall(2) and ipc(2) always,
/// since a filter cannot withhold them from one phase alone (NotifyingVariant()), and so are all
/// arguments of a call whose set of arguments grew over its bound. The phases can be told apart
/// where every run had its boundary (Run::serving_ms): of one without, nobody knows what it did
/// after its start. Runs of tier "denials" have no calls and do not count.
ServingSlice SliceServing(const Recording& recording);

}  // namespace cordon
