#pragma once

#include <string>

#include "common/error.h"
#include "model/sandbox_state.h"

/// What a detached sandbox leaves word of: what it ran and how it ended. It holds no process id and
/// no namespace, which may be another's by the time it is read. Written in one step; what is on
/// disk is true at any moment, if read when nobody holds the place.
namespace cordon {

/// Writes that `state` began: whoever finds this without a supervisor reads "lost". Keeps room for
/// RecordEnd(), for when the file system is full by then.
Status RecordBeginning(const std::string& folder, SandboxState state);

/// Writes that `state` ended now, with its outcome.
Status RecordEnd(const std::string& folder, SandboxState state);

/// What was written last in the place `folder`. "lost" has the outcome that the kernel gave it:
/// SIGKILL, with its supervisor. Fails with kNotFound where there is no record.
Expected<SandboxState> ReadRecord(const std::string& folder);

}  // namespace cordon
