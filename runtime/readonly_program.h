#pragma once

#include "common/error.h"

namespace cordon {

/// Executes the running program anew, with the same arguments, environment and descriptors, where
/// what it launches could reach its file through /proc and write it (CVE-2019-5736): as root from a
/// detached read-only clone of its mount (open_tree(2)), otherwise, for a user who may write the
/// file, from a sealed copy in memory. Returns where it runs so already, or where the caller could
/// not write the file anyway. For the beginning of main(): nothing must have been done yet that is
/// not to be done twice. Fails where the kernel lets it do neither.
Status EnsureReadonlyProgram(char* const* arguments);

}  // namespace cordon
