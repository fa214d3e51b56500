#pragma once

namespace cordon {

/// Whether the caller is root of the initial user namespace, and not only of one of its own.
bool IsRootOfHost();

}  // namespace cordon
