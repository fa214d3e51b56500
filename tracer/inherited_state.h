#pragma once

#include "tracer/file_lookup.h"
#include "tracer/recording_log.h"
#include "tracer/task_state.h"

namespace cordon {

/// Takes down what the process of `task` holds from before it was traced, as if it had just got it:
/// the files behind its descriptors, with the access they were opened for, the files it has mapped,
/// its working directory, and its sockets with the addresses they are bound and connected to. How
/// it got them was not seen: names that were tried in vain, files that are closed again, links that
/// were followed are missing.
void NoteInheritedState(TaskState& task, FileLookup& lookup, RecordingLog& log);

}  // namespace cordon
