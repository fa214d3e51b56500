#pragma once

#include <set>
#include <string>
#include <vector>

#include "tracer/recorder.h"

namespace cordon::testing {

/// A victim run under the recorder.
struct Learned {
  LearningRun run;
  int exit_status = 0;  ///< what a shell would have seen
};

/// Records `command`, whose first word is the name of a victim program. Fails the test when
/// recording cannot be done.
Learned Learn(std::vector<std::string> command, TraceTier tier);

/// The same with options; their command and tier are replaced.
Learned Learn(std::vector<std::string> command, TraceTier tier, RecordOptions options);

/// Everything in a recording that must not depend on the tier: one line per behaviour, without
/// counts and times.
std::set<std::string> Behaviours(const Recording& recording);

/// "call arch result" for every result, e.g. "access x86_64 ENOENT"; "-" where none was taken down.
std::set<std::string> Calls(const Recording& recording);

/// "open read" for the file `path`, in the order of FileAccess; "none" when it is not in the
/// recording.
std::string AccessOf(const Recording& recording, const std::string& path);

/// The errnos of failed uses of `path`.
std::set<int> FailuresOf(const Recording& recording, const std::string& path);

}  // namespace cordon::testing
