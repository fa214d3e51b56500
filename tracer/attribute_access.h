#pragma once

#include "model/file_access.h"
#include "tracer/task_state.h"

namespace cordon {

/// What a call that neither opens nor names files anew (stat, chmod, utimensat, setxattr, access,
/// readlink, getdents, flock and their kin) does with the inode that it is about; empty for other
/// calls.
FileAccessSet AttributeAccess(const TaskState& task, const CallFrame& frame);

}  // namespace cordon
