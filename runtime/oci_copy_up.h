#pragma once

namespace cordon {

/// Copies what the folder `from` holds into the folder `to`: folders, files, links and nodes with
/// owner, mode and time of change; it does not leave the file system that `from` is on, and goes no
/// deeper than 64 folders. 0, or -1 with errno: ELOOP for a deeper one. Async-signal-safe.
int CopyUp(int from, int to);

}  // namespace cordon
