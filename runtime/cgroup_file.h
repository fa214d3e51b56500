#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "common/error.h"
#include "runtime/cgroup_plan.h"

/// What is read from and written to the files of one cgroup.
namespace cordon {

/// One write(2): a cgroup's control file takes a setting each.
Status WriteControl(const std::string& path, const std::string& value);

/// Whether the words in the file at `path` have all of `words`.
bool HasWords(const std::string& path, const std::vector<std::string>& words);

/// Writes all of `writes` into the folder of `step`. What the kernel finds wrong (EINVAL) is tried
/// again after the others: of two limits that bound each other, either may have to be first.
Status WriteLimits(const std::string& folder, const CgroupStep& step,
                   const std::vector<CgroupStep::Write>& writes);

/// What writes what the files of `writes` in `folder` hold now: of those that have a line for each
/// device, the line of that device, or that it has none. What is not there, or inherited, is left
/// out.
std::vector<CgroupStep::Write> LimitsNow(const std::string& folder,
                                         const std::vector<CgroupStep::Write>& writes);

/// Moves what is in the cgroup `folder` to the one above it, as far as the kernel lets it.
void EmptyCgroup(const std::string& folder);

/// The folder to make a cgroup of `step` in: its parent, made where it is missing, with the
/// controllers switched on (v2). With kNearCaller, of v2, the nearest folder at or above it in
/// which children can have them: one with processes of its own cannot (cgroups(7), "no internal
/// processes").
Expected<std::string> PrepareParent(const CgroupStep& step);

/// Has `move` move `processes()` into the cgroup `folder` until all of them are in it: a child that
/// is made meanwhile comes into its parent's. Fails with kLimit when they never are.
Status FillCgroup(const std::string& folder, const std::function<std::vector<pid_t>()>& processes,
                  const std::function<Status(pid_t)>& move);

/// Makes room for the new memory.max that is among `writes` (v2): a limit below what is used kills.
/// Fails with kLimit, saying how much is used, where too little can be reclaimed.
Status ReclaimFor(const std::string& folder, const std::vector<CgroupStep::Write>& writes);

/// Removes the folder and all below it; the kernel says EBUSY for a moment after the last process
/// died, so it is tried for ten seconds. The caller must be single-threaded.
void RemoveCgroup(const std::string& folder);

}  // namespace cordon
