#pragma once

#include <string>
#include <vector>

#include "model/sandbox_usage.h"
#include "runtime/sandbox_processes.h"

namespace cordon {

/// What the cgroups at `folders`, of v1 or v2, say that a sandbox uses. A folder of either version
/// says what its controllers know; what no folder says is missing. Never fails: a file that cannot
/// be read says nothing. Facts: cgroup-v1/*.rst and cgroup-v2.rst of the kernel.
SandboxUsage ReadCgroupUsage(const std::vector<std::string>& folders);

/// The same of what is worth a word at the end: processes killed and tasks refused.
SandboxUsage ReadCgroupCounts(const std::vector<std::string>& folders);

/// Fills in what `usage` does not know and `processes`, all of one sandbox, can tell: processor
/// time (without what ended unwaited for), memory (what is shared counts once for each) and tasks.
void AddProcessUsage(const std::vector<SandboxProcess>& processes, SandboxUsage& usage);

}  // namespace cordon
