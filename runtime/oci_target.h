#pragma once

#include <cstdint>

namespace cordon {

enum class OciTargetKind : std::uint8_t { kFile, kFolder };

/// The place `path` inside `root`, O_PATH, made with its parents where it is missing. -1 with
/// errno. Async-signal-safe.
int OpenOrMakeOciTarget(int root, const char* path, OciTargetKind kind, std::uint64_t resolve);

/// The folder that `path` is in, O_PATH, made where it is missing, and where in `path` the last
/// name begins. -1 with errno: EINVAL for a path without a name at its end. Async-signal-safe.
int OpenOciParent(int root, const char* path, std::uint64_t resolve, const char*& name);

}  // namespace cordon
