#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/recording.h"
#include "model/syscall_signature.h"

/// The words of the recording format that are not names of something else.
namespace cordon {

/// "0" for a register itself, "0.flags" for a member of the struct behind it.
std::string RecordingKey(const ScalarArgument& scalar);

/// "create", "bind", "connect", "listen", "accept", "send".
std::string_view Name(SocketOperation operation);
std::optional<SocketOperation> SocketOperationFromName(std::string_view name);

}  // namespace cordon
