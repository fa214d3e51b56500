#pragma once

#include <string>

#include "model/recording.h"

namespace cordon {

/// How much a sample has.
struct SampleSize {
  int calls = 60;  ///< distinct (call, argument tuple) of x86-64 and i386
  int files = 100;
};

/// A recording as a run of a server leaves it, with the run `id` (32 hexadecimal digits): calls
/// that libseccomp knows in the order of their numbers, further argument tuples once every call is
/// there; files read below /srv/data, a hundred to a folder, all with this name in common; a
/// discovery curve.
Recording MakeSampleRecording(const SampleSize& size, const std::string& id);

/// The id of run `number`.
std::string SampleRunId(int number);

}  // namespace cordon
